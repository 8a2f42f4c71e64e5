"""`dense` against mteb's and beir's own evaluation of the same checkpoint on the same folder.

Encoding takes nearly all the time, so a part of each collection is taken unless HARNESS_TEST_FULL=1. The peers'
vectors come from sentence-transformers' plain `encode`, called as each of them calls it, and are computed once for
both; ours come from our own batches.
"""

import json
import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.config import use
from harness.contracts import Context
from harness.data.beir import BeirSource
from harness.data.task import SourceTask
from harness.plugins import registry
from harness.scoring.measures import score
from harness.testing.mteb_task import mteb_score

MISSING = [name for name in ("beir", "mteb", "sentence_transformers") if find_spec(name) is None]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} not installed"),
    pytest.mark.filterwarnings("ignore:The fill_missing parameter is deprecated:DeprecationWarning"),  # mteb to itself
    pytest.mark.filterwarnings("ignore:The `get_sentence_embedding_dimension` method:FutureWarning"),  # mteb's call
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),  # beir's reader
]
FULL = os.environ.get("HARNESS_TEST_FULL") == "1"
QUERIES, JUDGED_EACH, OTHERS = 40, 4, 60
"""Size of the part: queries, judged documents of each, and documents that are judged for none of them."""


@pytest.fixture(scope="module")
def model(models: Path) -> Any:
    """A SentenceTransformer that encodes each text once, for all who ask."""
    import torch
    from sentence_transformers import SentenceTransformer

    known: dict[str, np.ndarray] = {}

    class Remembering(SentenceTransformer):
        def encode(self, inputs: Any, prompt_name: str | None = None, prompt: str | None = None, **options: Any) -> Any:
            before = prompt if prompt is not None else self.prompts.get(prompt_name or "", "")
            texts = [before + text for text in inputs]
            if new := [text for text in dict.fromkeys(texts) if text not in known]:
                known.update(zip(new, super().encode(new, show_progress_bar=False), strict=True))
            vectors = np.stack([known[text] for text in texts])
            return torch.from_numpy(vectors) if options.get("convert_to_tensor") else vectors

    return Remembering(str(models / "minilm-l6"), device="cpu")


@pytest.fixture(scope="module", params=["nfcorpus", "scifact"])
def folder(request: pytest.FixtureRequest, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection in BEIR layout."""
    whole = data / request.param
    return whole if FULL else part(whole, tmp_path_factory.mktemp("part") / request.param)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def part(whole: Path, folder: Path) -> Path:
    """The first queries with a few judged documents each, among documents of no use to them."""
    (folder / "qrels").mkdir(parents=True)
    header, *rows = (whole / "qrels" / "test.tsv").read_text().splitlines()
    judged: dict[str, list[str]] = {}
    for row in rows:
        judged.setdefault(row.split("\t")[0], []).append(row)
    kept = [row for query in list(judged)[:QUERIES] for row in judged[query][:JUDGED_EACH]]
    (folder / "qrels" / "test.tsv").write_text("\n".join([header, *kept]) + "\n")
    shutil.copy(whole / "queries.jsonl", folder)
    wanted = {row.split("\t")[1] for row in kept}
    documents = list(lines(whole / "corpus.jsonl"))
    others = [document for document in documents if document["_id"] not in wanted][:: len(documents) // OTHERS]
    chosen = [document for document in documents if document["_id"] in wanted] + others
    (folder / "corpus.jsonl").write_text("".join(json.dumps(document) + "\n" for document in chosen))
    return folder


@pytest.fixture(scope="module")
def ours(folder: Path, models: Path, tmp_path_factory: pytest.TempPathFactory) -> float:
    """nDCG@10 of the plugin."""
    home = tmp_path_factory.mktemp("ours")
    task = SourceTask(BeirSource(folder, folder.name), home / "data")
    chosen = use(registry(), ("retriever",), "dense", {"model": str(models / "minilm-l6")})
    card, _ = registry().find("dense", "retriever")
    retriever = card.load()(chosen.config, Context(folder=home, build=lambda nested: None))
    retriever.index(task.corpus())
    run = retriever.search(task.queries("test"), 1000)
    assert not set(run.query_ids) & set(task.corpus().ids)  # or beir would leave out what others find
    return float(score(run, task.qrels("test"), task.corpus(), ("nDCG@10",))["nDCG@10"].mean())


def read(folder: Path) -> tuple[dict[str, dict[str, str]], dict[str, str], dict[str, dict[str, int]]]:
    """Corpus, queries and qrels, as beir reads them."""
    from beir.datasets.data_loader import GenericDataLoader

    return GenericDataLoader(data_folder=str(folder)).load(split="test")


def test_as_mteb(folder: Path, model: Any, ours: float) -> None:
    theirs = mteb_score(model, folder, "test")
    assert ours == pytest.approx(theirs, abs=5e-5)
    print(f"{folder.name}: ours {ours:.5f}, mteb {theirs:.5f}")


def test_as_beir(folder: Path, model: Any, ours: float) -> None:
    from beir.retrieval.evaluation import EvaluateRetrieval
    from beir.retrieval.models import SentenceBERT
    from beir.retrieval.search.dense import DenseRetrievalExactSearch

    encoder = SentenceBERT()
    encoder.q_model = encoder.doc_model = model
    corpus, queries, qrels = read(folder)
    search = DenseRetrievalExactSearch(encoder, show_progress_bar=False)
    evaluation = EvaluateRetrieval(search, k_values=[10, 100], score_function="cos_sim")
    ndcg, *_ = evaluation.evaluate(qrels, evaluation.retrieve(corpus, queries), [10])
    assert ours == pytest.approx(ndcg["NDCG@10"], abs=5e-5)
    print(f"{folder.name}: ours {ours:.5f}, beir {ndcg['NDCG@10']:.5f}")
