"""How a student's configuration and its teacher's evaluation know of each other: by the names in both."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from harness.nn.checkpoint import TRAINED


def known_as(name: str, config: Mapping[str, Any], training: Mapping[str, Any]) -> frozenset[str]:
    """What a method that a ceiling taught may name in its configuration.

    The ceiling's plugin, the teacher that it wraps as a reranker, or the lesson in which it was trained.
    """
    teacher = config.get("teacher")
    wrapped = teacher.get("plugin") if isinstance(teacher, Mapping) else None
    lesson = training.get("lesson")
    return frozenset({name, *texts_in(wrapped), *([f"{TRAINED}{lesson}"] if lesson else [])})


def texts_in(value: Any) -> Iterator[str]:
    """All strings in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in cast(Iterable[Any], value.values() if isinstance(value, Mapping) else value):
            yield from texts_in(item)
