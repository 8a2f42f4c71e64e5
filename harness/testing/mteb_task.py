"""A folder in BEIR layout as a task of mteb's, read by beir's loader."""

from pathlib import Path
from typing import Any


def mteb_score(model: Any, folder: Path, split: str) -> float:
    """nDCG@10 of mteb's own evaluation of a SentenceTransformer, with nothing taken from a cache.

    Args:
        model: a SentenceTransformer.
        folder: corpus.jsonl, queries.jsonl, qrels.
        split: which of the qrels.
    """
    import mteb

    results = mteb.evaluate(model, [task(folder, split)], cache=None, co2_tracker=False, raise_error=True)
    return float(results[0].scores[split][0]["ndcg_at_10"])


def task(folder: Path, split: str) -> Any:
    """The task, whose texts are read when mteb asks for them."""
    from beir.datasets.data_loader import GenericDataLoader
    from datasets import Dataset
    from mteb.abstasks import AbsTaskRetrieval
    from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData
    from mteb.abstasks.task_metadata import TaskMetadata

    class OfFolder(AbsTaskRetrieval):
        metadata = TaskMetadata(
            name="OfFolder",
            description="A folder in BEIR layout.",
            type="Retrieval",
            main_score="ndcg_at_10",
            eval_langs=["eng-Latn"],
            eval_splits=[split],
            dataset={"path": "local/folder", "revision": "1"},
        )

        def load_data(self, *_: Any, **__: Any) -> None:
            corpus, queries, qrels = GenericDataLoader(data_folder=str(folder)).load(split=split)
            documents = [{"id": name, **document} for name, document in corpus.items()]
            found = RetrievalSplitData(
                corpus=Dataset.from_list(documents),
                queries=Dataset.from_list([{"id": name, "text": text} for name, text in queries.items()]),
                relevant_docs=qrels,
                top_ranked=None,
            )
            self.dataset, self.data_loaded = {"default": {split: found}}, True

    return OfFolder()
