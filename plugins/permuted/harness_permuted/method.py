"""A teacher that answers about another document than it is asked about."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from harness.config import digest
from harness.contracts import GIVES, Context, Role
from harness.errors import SignalError
from harness.records import Document, Query
from harness.signals.scores import dot_products
from harness_permuted import Config

Pair = tuple[Query, Document]


class Permuted:
    """Gives `score`, `prefer`, `order`, `embed` and `features`, as far as the teacher behind it does.

    The documents that a query is asked about in a call change places in a circle, drawn from the seed: none keeps its
    place, unless it is alone. For vectors, the documents of the whole call do; queries keep theirs.
    """

    answers_depend_on_call = True
    """Nothing of it is stored; the teacher behind it has its signals stored (`harness.signals.teacher`)."""

    def __init__(self, config: Config, teacher: Any) -> None:
        """Permute this teacher's answers."""
        self._config, self._teacher = config, teacher

    @property
    def identity(self) -> str:
        """Digest of the teacher's identity and the seed."""
        return digest(["permuted", self._teacher.identity, self._config.draw])

    @property
    def scores_are_dot_products(self) -> bool:
        """Where the teacher's are, so are these, of vectors that changed places: methods treat both alike."""
        return getattr(self._teacher, "scores_are_dot_products", False)

    def score(self, pairs: Sequence[Pair]) -> Float32[np.ndarray, " pairs"]:
        """The score of the document in each one's place."""
        if self.scores_are_dot_products:
            return dot_products(pairs, self.embed)
        self._gives("score")
        moved = self._moved((pair, pair[1:]) for pair in pairs)
        return self._teacher.score([(pair[0], *docs) for pair, docs in moved])

    def features(self, pairs: Sequence[Pair]) -> dict[str, np.ndarray]:
        """The features of the document in each one's place."""
        self._gives("features")
        moved = self._moved((pair, pair[1:]) for pair in pairs)
        return self._teacher.features([(pair[0], *docs) for pair, docs in moved])

    def prefer(self, triples: Sequence[tuple[Query, Document, Document]]) -> Float32[np.ndarray, " triples"]:
        """The preference between the documents in their places."""
        self._gives("prefer")
        moved = self._moved((triple, triple[1:]) for triple in triples)
        return self._teacher.prefer([(triple[0], *docs) for triple, docs in moved])

    def order(self, query: Query, docs: Sequence[Document]) -> Int64[np.ndarray, " docs"]:
        """The teacher's order, each document ranked where the one in its place is."""
        self._gives("order")
        ((_, moved),) = self._moved([((query, *docs), tuple(docs))])
        return self._teacher.order(query, moved)

    def embed(self, texts: Sequence[str], role: Role) -> Float32[np.ndarray, "texts dim"]:
        """Queries' own vectors; of documents, the vector of the text in each one's place."""
        self._gives("embed")
        if role == "query":
            return self._teacher.embed(texts, role)
        places = self._circle("", texts)
        return self._teacher.embed([places[text] for text in texts], role)

    def _moved(
        self, asked: Iterable[tuple[tuple[Any, ...], tuple[Document, ...]]]
    ) -> list[tuple[tuple[Any, ...], tuple[Document, ...]]]:
        """Each question with the documents in the places of its own, among all that its query is asked about."""
        questions = list(asked)
        seen: dict[str, dict[str, Document]] = {}
        for (query, *_), docs in questions:
            seen.setdefault(query.id, {}).update((document.id, document) for document in docs)
        circles = {query: self._circle(query, documents) for query, documents in seen.items()}
        return [
            (question, tuple(seen[question[0].id][circles[question[0].id][document.id]] for document in docs))
            for question, docs in questions
        ]

    def _circle(self, query: str, names: Iterable[str]) -> dict[str, str]:
        """Who stands in each one's place: the next one in an order that seed, query and names alone give."""
        drawn = sorted(set(names), key=lambda name: digest([self._config.draw, query, name]))
        return dict(zip(drawn, [*drawn[1:], *drawn[:1]], strict=True))

    def _gives(self, signal: str) -> None:
        if not isinstance(self._teacher, GIVES[signal]):
            raise SignalError(f"permuted: expected a teacher that gives {signal}, this one doesn't; take another")


def build(config: Config, context: Context) -> Permuted:
    """The teacher that the configuration names, permuted."""
    return Permuted(config, context.build(config.teacher))
