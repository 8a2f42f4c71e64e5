"""beir: any of its models as our retriever."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32

from harness.adapters.foreign import Adapter, Encoded, Searched
from harness.adapters.results import Results
from harness.contracts import Corpus
from harness.errors import ConfigError
from harness.records import Query


class FromBeir(Adapter):
    """An encoder or a search class of beir as a `Retriever`."""

    def __init__(
        self, model: Any, score_function: Literal["cos_sim", "dot"] = "cos_sim", batch_size: int = 128
    ) -> None:
        """Take a model.

        Args:
            model: one with `encode_queries` and `encode_corpus` (`SentenceBERT` …), which we search exactly, or a
                `BaseSearch`, which searches by itself.
            score_function: cosine or dot product, as beir names them.
            batch_size: texts encoded at a time.

        Raises:
            ConfigError: a model of another kind, or another score function.
        """
        if score_function not in ("cos_sim", "dot"):
            raise ConfigError(f"expected score function cos_sim or dot, got {score_function!r}")
        if hasattr(model, "encode_queries") and hasattr(model, "encode_corpus"):
            super().__init__(_encoded(model, score_function, batch_size))
        elif hasattr(model, "search"):
            super().__init__(Searched(_search(model, score_function)))
        else:
            raise ConfigError(f"expected a beir encoder or search class, got {type(model).__name__}")


def _encoded(model: Any, score_function: str, batch_size: int) -> Encoded:
    options = {"batch_size": batch_size, "show_progress_bar": False, "convert_to_tensor": True}
    return Encoded(
        queries=lambda queries: model.encode_queries([query.text for query in queries], **options),
        documents=lambda corpus: model.encode_corpus(list(_documents(corpus).values()), **options),
        similarity=_cosine if score_function == "cos_sim" else _dot,
    )


def _search(model: Any, score_function: str) -> Any:
    """A search under names of our own, and never of one query alone.

    beir drops a document whose id is the query's, silently, and fails on a single query.
    """

    def search(corpus: Corpus, queries: Sequence[Query], k: int) -> Results:
        asked = {f"query-{place}": query.text for place, query in enumerate(queries)}
        asked |= {"query-again": queries[0].text} if len(queries) == 1 else {}
        found = model.search(_documents(corpus), asked, k, score_function)
        return {
            query.id: {corpus.ids[int(row)]: score for row, score in found.get(f"query-{place}", {}).items()}
            for place, query in enumerate(queries)
        }

    return search


def _documents(corpus: Corpus) -> dict[str, dict[str, str]]:
    """Documents as beir holds them, by row."""
    documents = ((row, corpus[row]) for row in range(len(corpus)))
    return {str(row): {"title": document.title, "text": document.text} for row, document in documents}


def _dot(
    queries: Float32[np.ndarray, "queries dim"], documents: Float32[np.ndarray, "docs dim"]
) -> Float32[np.ndarray, "queries docs"]:
    return queries @ documents.T


def _cosine(
    queries: Float32[np.ndarray, "queries dim"], documents: Float32[np.ndarray, "docs dim"]
) -> Float32[np.ndarray, "queries docs"]:
    lengths = np.linalg.norm(documents, axis=1), np.linalg.norm(queries, axis=1, keepdims=True)
    return queries @ documents.T / np.maximum(lengths[0] * lengths[1], np.finfo(np.float32).tiny)
