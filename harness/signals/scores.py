"""Scores that are no independent numbers: dot products of vectors, and scores that hold within a list only."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from harness.contracts import Role
from harness.records import Document, Query
from harness.signals.keys import list_key

PAIRS = 8192
"""Pairs multiplied at once: their vectors are copied."""

Candidates = tuple[Query, list[Document]]
"""A query and all its documents of one call."""


def dot_products(
    pairs: Sequence[tuple[Query, Document]], embed: Callable[[Sequence[str], Role], Float32[np.ndarray, "texts dim"]]
) -> Float32[np.ndarray, " pairs"]:
    """Dot product of each pair's vectors; every distinct text is asked for once."""
    if not pairs:
        return np.empty(0, np.float32)
    queries, query_rows = _distinct(query.text for query, _ in pairs)
    documents, document_rows = _distinct(document.content for _, document in pairs)
    left, right = embed(queries, "query"), embed(documents, "document")
    blocks = [slice(start, start + PAIRS) for start in range(0, len(pairs), PAIRS)]
    products = [np.einsum("pd,pd->p", left[query_rows[block]], right[document_rows[block]]) for block in blocks]
    return np.concatenate(products).astype(np.float32, copy=False)


def _distinct(texts: Iterable[str]) -> tuple[list[str], Int64[np.ndarray, " texts"]]:
    """The distinct texts, and which of them stands at each place."""
    rows: dict[str, int] = {}
    places = [rows.setdefault(text, len(rows)) for text in texts]
    return list(rows), np.array(places, np.int64)


def lists(pairs: Sequence[tuple[Query, Document]]) -> tuple[list[Candidates], list[list[int]]]:
    """The pairs as one list a query, and the places of each list's pairs; two queries may share a text, not an id."""
    places: dict[Any, list[int]] = {}
    for place, (query, _) in enumerate(pairs):
        places.setdefault((query.id, list_key((query, ()))), []).append(place)
    found = list(places.values())
    return [(pairs[its[0]][0], [pairs[place][1] for place in its]) for its in found], found


def length(question: Candidates) -> int:
    """How many pairs a list has."""
    return len(question[1])


def scattered(scores: Sequence[Any], places: Sequence[Sequence[int]]) -> Float32[np.ndarray, " pairs"]:
    """Scores by list → scores by pair, each at its place."""
    found = np.empty(sum(map(len, places)), np.float32)
    for its, values in zip(places, scores, strict=True):
        found[list(its)] = values
    return found
