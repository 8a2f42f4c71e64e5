"""JSON as files: ASCII, so that no reader can get its characters wrong; NaN is no JSON and is refused."""

import json
from collections.abc import Iterable
from typing import Any

File = tuple[str, bytes]
"""Path on the site and content."""


def compact(value: Any) -> str:
    """A value on one line."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def records(path: str, head: dict[str, Any], name: str, lines: Iterable[str]) -> File:
    """An object with these entries and a list of this name, one line an item, so that changes can be read."""
    content = ",\n".join([compact(key) + ":" + compact(value) for key, value in head.items()])
    items = ",\n".join(lines)
    return path, f"{{{content},\n{compact(name)}:[\n{items}\n]}}\n".encode("ascii")


def registered(path: str, content: Any) -> File:
    """A data file as a script, since a page opened from disk may load nothing else."""
    return registered_text(path, compact(content))


def registered_text(path: str, text: str) -> File:
    """The same of JSON that is written already."""
    return f"data/{path}.js", f"harnessData({json.dumps(path)},{text});\n".encode("ascii")
