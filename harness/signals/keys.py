"""What a signal is stored under: the content of what was asked, never an id or a path."""

import hashlib
import json
from collections.abc import Sequence

from harness.records import Document, Query

SIZE = 16
"""Bytes of a key: 128 bits of BLAKE2b, so that a clash among a billion signals has a probability of about 10⁻²¹."""


def _key(*parts: object) -> bytes:
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=SIZE).digest()


def _query(query: Query) -> list[object]:
    """All that a teacher may read of a query: everything but its id."""
    history = [[turn.role, turn.text] for turn in query.history]
    terms = sorted(query.terms.items()) if query.terms else None
    vector = list(query.vector) if query.vector else None
    return [query.text, history, query.instruction, query.language, terms, vector]


def pair_key(pair: tuple[Query, Document]) -> bytes:
    """Key of a (query, document) pair."""
    query, document = pair
    return _key("pair", _query(query), document.title, document.text)


def triple_key(triple: tuple[Query, Document, Document]) -> bytes:
    """Key of a query and two documents, in this order."""
    query, a, b = triple
    return _key("triple", _query(query), a.title, a.text, b.title, b.text)


def list_key(question: tuple[Query, Sequence[Document]]) -> bytes:
    """Key of a query and a list of documents, in this order: a listwise teacher may depend on it."""
    query, documents = question
    return _key("list", _query(query), [[document.title, document.text] for document in documents])


def text_key(role: str, text: str) -> bytes:
    """Key of a text in a role: `query`, `document`, or `prompt`."""
    return _key(role, text)
