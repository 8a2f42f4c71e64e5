"""The fields of a query beyond its text, from the `metadata` of a line of queries.jsonl."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.data.lines import shown, wrong
from harness.records import Turn

ROLES = ("assistant", "user")


def query_fields(path: Path, line: int, record: Mapping[str, Any]) -> dict[str, Any]:
    """History, instruction, language, terms and vector as `records.Query` has them; other metadata is left alone.

    Args:
        path: the file, to be named in an error.
        line: its line.
        record: the query as it was read. `metadata.history` is a list of `{"role": …, "text": …}`, or of texts whose
            roles alternate so that the last one is the assistant's and the query the user's.

    Raises:
        DataError: a field of another type.
    """
    metadata = record.get("metadata")
    if metadata is None:
        return {}
    if not isinstance(metadata, dict):
        raise wrong(path, line, "metadata that is an object", shown(metadata), 'write "metadata": {…}')
    readers = {"history": _history, "instruction": _text, "language": _text, "terms": _terms, "vector": _vector}
    found: dict[str, Any] = {}
    for name, read in readers.items():
        if metadata.get(name) is not None:
            try:
                found[name] = read(metadata[name])
            except ValueError as error:
                got = shown(metadata[name])
                raise wrong(path, line, f"metadata.{name} to be {error}", got, "correct or remove it") from None
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("text")
    return value


def _history(value: Any) -> tuple[Turn, ...]:
    if not isinstance(value, list):
        raise ValueError("a list of turns")
    if all(isinstance(turn, str) for turn in value):
        return tuple(Turn(role=ROLES[(len(value) - 1 - i) % 2], text=text) for i, text in enumerate(value))
    return tuple(map(_turn, value))


def _turn(value: Any) -> Turn:
    if not (isinstance(value, dict) and value.get("role") in ROLES and isinstance(value.get("text"), str)):
        raise ValueError('a list of texts or of {"role": "user" or "assistant", "text": …}')
    return Turn(role=value["role"], text=value["text"])


def _terms(value: Any) -> dict[str, float]:
    if not (isinstance(value, dict) and all(map(_finite, value.values()))):
        raise ValueError("an object of finite weights by term")
    return {term: float(weight) for term, weight in value.items()}


def _vector(value: Any) -> tuple[float, ...]:
    if not (isinstance(value, list) and value and all(map(_finite, value))):
        raise ValueError("a list of finite numbers")
    return tuple(map(float, value))


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
