"""mteb: any retriever of ours through its search protocol, any of its encoders and search models as our retriever."""

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.adapters.foreign import Adapter, Encoded, Searched
from harness.adapters.results import Results, from_run
from harness.contracts import Corpus, Retriever
from harness.data.corpus import build_corpus
from harness.errors import ConfigError
from harness.records import Document, Query, Turn

WHERE = {"hf_split": "test", "hf_subset": "default"}
"""What mteb wants to know of the data; models use it to choose prompts at most."""


def mteb_search(retriever: Retriever, name: str, revision: str) -> Any:
    """A retriever of ours as a search model of mteb, for `mteb.evaluate`.

    Args:
        retriever: any retriever.
        name: `organisation/model`, under which mteb files the results.
        revision: changes whenever the retriever would answer otherwise, or mteb answers from its cache.

    Raises:
        ConfigError: the name has no organisation.
    """
    if name.count("/") != 1 or not all(name.split("/")):
        raise ConfigError(f"expected a model name of the form organisation/model, got {name!r}")
    return _MtebSearch(retriever, name, revision)


class _MtebSearch:
    """mteb's `SearchProtocol` over a retriever."""

    def __init__(self, retriever: Retriever, name: str, revision: str) -> None:
        from mteb.models import ModelMeta

        self.mteb_model_meta = ModelMeta.create_empty(overwrites={"name": name, "revision": revision})
        self._retriever = retriever

    def index(self, corpus: Iterable[Mapping[str, Any]], **_: Any) -> None:
        """Index documents given as rows with id, text and perhaps title."""
        documents = (Document(id=row["id"], title=row.get("title") or "", text=row["text"]) for row in corpus)
        folder = Path(tempfile.mkdtemp(prefix="harness-mteb-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._corpus = build_corpus(documents, folder / "corpus")
        self._retriever.index(self._corpus)

    def search(
        self,
        queries: Iterable[Mapping[str, Any]],
        *,
        top_k: int,
        top_ranked: Mapping[str, Sequence[str]] | None = None,
        **_: Any,
    ) -> dict[str, dict[str, float]]:
        """The best documents of each query; where mteb gives candidates, all of these that were found."""
        given = [_query(row) for row in queries]
        if top_ranked is None:
            return from_run(self._retriever.search(given, min(top_k, len(self._corpus))), self._corpus.ids)
        return {query.id: self._rerank(query, top_ranked.get(query.id, ()), top_k) for query in given}

    def _rerank(self, query: Query, candidates: Sequence[str], k: int) -> dict[str, float]:
        wanted = set(candidates)
        ranking = from_run(self._retriever.search([query], len(self._corpus)), self._corpus.ids)[query.id]
        return dict([(document, score) for document, score in ranking.items() if document in wanted][:k])


def _query(row: Mapping[str, Any]) -> Query:
    """A query from mteb's row: its text may be a dialogue, as turns or as the user's utterances."""
    text: Any = row["text"]
    turns = [text] if isinstance(text, str) else list(text)
    said = [
        Turn(role="user", text=turn) if isinstance(turn, str) else Turn(role=turn["role"], text=turn["content"])
        for turn in turns
    ]
    return Query(id=row["id"], text=said[-1].text, history=tuple(said[:-1]), instruction=row.get("instruction") or None)


class FromMteb(Adapter):
    """An encoder or a search model of mteb as a `Retriever`."""

    def __init__(self, model: Any, task_metadata: Any = None, batch_size: int = 32) -> None:
        """Take a model, for example from `mteb.get_model`.

        Args:
            model: an mteb encoder with dense vectors, or any mteb search model.
            task_metadata: mteb's metadata of the task, from which models choose their prompts; a plain retrieval task
                if left out.
            batch_size: texts encoded at a time.

        Raises:
            ConfigError: a model of another kind, such as a cross-encoder.
        """
        from mteb.models import EncoderProtocol, SearchProtocol

        about = WHERE | {"task_metadata": task_metadata or _plain_task()}
        if isinstance(model, SearchProtocol):
            super().__init__(Searched(_search(model, about, batch_size)))
        elif isinstance(model, EncoderProtocol):
            super().__init__(_encoded(model, about, batch_size))
        else:
            raise ConfigError(f"expected an mteb encoder or search model, got {type(model).__name__}")


def _encoded(model: Any, about: Mapping[str, Any], batch_size: int) -> Encoded:
    from mteb._create_dataloaders import create_dataloader
    from mteb.types import PromptType

    def encode(rows: Any, kind: PromptType) -> Any:
        loader = create_dataloader(rows, task_metadata=about["task_metadata"], prompt_type=kind, batch_size=batch_size)
        return model.encode(loader, prompt_type=kind, batch_size=batch_size, show_progress_bar=False, **about)

    return Encoded(
        queries=lambda queries: encode(_query_rows(queries), PromptType.query),
        documents=lambda corpus: encode(_corpus_rows(corpus), PromptType.document),
        similarity=model.similarity,
    )


def _search(model: Any, about: Mapping[str, Any], batch_size: int) -> Any:
    options = {**about, "encode_kwargs": {"batch_size": batch_size, "show_progress_bar": False}, "num_proc": None}

    def search(corpus: Corpus, queries: Sequence[Query], k: int) -> Results:
        model.index(_corpus_rows(corpus), **options)
        return model.search(_query_rows(queries), top_k=k, **options)

    return search


def _plain_task() -> Any:
    from mteb import TaskMetadata

    return TaskMetadata(
        name="Retrieval",
        description="Retrieval without prompts of its own.",
        type="Retrieval",
        main_score="ndcg_at_10",
        eval_langs=["eng-Latn"],
        dataset={"path": "local/retrieval", "revision": "1"},
    )


def _corpus_rows(corpus: Corpus) -> Any:
    from datasets import Dataset

    documents = [corpus[row] for row in range(len(corpus))]
    columns = {name: [getattr(document, name) for document in documents] for name in ("id", "title", "text")}
    return Dataset.from_dict(columns)


def _query_rows(queries: Sequence[Query]) -> Any:
    """Queries as mteb's rows; as dialogues where any has a history, with instructions where any has one."""
    from datasets import Dataset

    columns: dict[str, list[Any]] = {"id": [query.id for query in queries], "text": [query.text for query in queries]}
    if any(query.history for query in queries):
        dialogues = [(*query.history, Turn(role="user", text=query.text)) for query in queries]
        columns["text"] = [[{"role": turn.role, "content": turn.text} for turn in turns] for turns in dialogues]
    if any(query.instruction for query in queries):
        columns["instruction"] = [query.instruction or "" for query in queries]
    return Dataset.from_dict(columns)
