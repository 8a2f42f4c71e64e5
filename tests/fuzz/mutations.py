"""Ways to spoil a valid file: at any byte, in its lines and fields, and in the values of a JSON document."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

Draw = Callable[..., Any]

PIECES = (
    *(b"\0", b"\r", b"\r\n", b"\n", b"\t", b" ", b"\x85", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80"),
    *(b"\xe2\x80\xa8", b"\\ud800", b'"', b"{", b"}", b"]", b",", b"#", b"=", b"\\", b"'", b"../../x", b"/etc/passwd"),
    *(b"NaN", b"Infinity", b"-inf", b"1e999", b"1_0", b"-1", b"0", b"9" * 25, b"9" * 500, b"9" * 5000, b"0x10"),
    *(b"[" * 5000, b'{"a":' * 5000, b"null", b"true", b"1.5", b"a" * 70_000, b"\xd9\xa3"),
)
"""What is put into a file: ends and blanks of all kinds, no UTF-8, half a character, numbers that are none, depth."""

VALUES = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 10**30, 10**400, 0.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", " ", "a", "\0", "\ud800", "\u2028", "a\nb", "../../x", "/etc/passwd", "x" * 70_000, "nan", "٣"),
    *([], {}, [[]], [None], [""], [0.5], {"": None}, {"a": {"a": {}}}),
)
"""What is put in the place of a value of a JSON document."""


@st.composite
def spoiled(draw: Draw, content: bytes, most: int = 3) -> bytes:
    """The content with one to `most` changes."""
    for _ in range(draw(st.integers(1, most))):
        content = draw(st.sampled_from(CHANGES))(draw, content)
    return content


def _place(draw: Draw, content: bytes) -> int:
    return draw(st.integers(0, max(0, len(content) - 1)))


def _flipped(draw: Draw, content: bytes) -> bytes:
    place = _place(draw, content)
    return content[:place] + bytes([draw(st.integers(0, 255))]) + content[place + 1 :]


def _cut(draw: Draw, content: bytes) -> bytes:
    return content[: _place(draw, content)]


def _without_part(draw: Draw, content: bytes) -> bytes:
    place = _place(draw, content)
    return content[:place] + content[place + draw(st.integers(1, 40)) :]


def _with_piece(draw: Draw, content: bytes) -> bytes:
    place = draw(st.one_of(st.just(0), st.integers(0, len(content)), st.just(len(content))))
    return content[:place] + draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8))) + content[place:]


def _other_ends(draw: Draw, content: bytes) -> bytes:
    return content.replace(b"\n", draw(st.sampled_from([b"\r\n", b"\r", b"\n\n", b"\0", b" \n"])))


def _lines_changed(draw: Draw, content: bytes) -> bytes:
    """A line twice, gone, in another's place, or cut in two."""
    lines = content.splitlines(keepends=True) or [b""]
    here, there = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    match draw(st.sampled_from(["twice", "gone", "swapped", "conflicting"])):
        case "twice":
            lines.insert(there, lines[here])
        case "gone":
            del lines[here]
        case "swapped":
            lines[here], lines[there] = lines[there], lines[here]
        case _:
            lines.insert(there, _field_changed(draw, lines[here]))
    return b"".join(lines)


def _field_changed(draw: Draw, content: bytes) -> bytes:
    """Two fields of a line swapped, or one replaced."""
    lines = content.splitlines(keepends=True) or [b""]
    line = draw(st.integers(0, len(lines) - 1))
    mark = draw(st.sampled_from([b"\t", b" ", b",", b'"', b":"]))
    fields = lines[line].split(mark)
    here, there = (draw(st.integers(0, len(fields) - 1)) for _ in range(2))
    if draw(st.booleans()):
        fields[here], fields[there] = fields[there], fields[here]
    else:
        fields[here] = draw(st.sampled_from(PIECES))
    lines[line] = mark.join(fields)
    return b"".join(lines)


CHANGES = (_flipped, _cut, _without_part, _with_piece, _other_ends, _lines_changed, _field_changed)


@st.composite
def bent(draw: Draw, value: Any) -> Any:
    """A JSON value with one to three of its parts replaced, left out, or with another's name."""
    for _ in range(draw(st.integers(1, 3))):
        value = _bent(draw, value)
    return value


def _bent(draw: Draw, value: Any) -> Any:
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 7)) == 0:
        return draw(st.sampled_from(VALUES))
    if isinstance(value, list):
        place = draw(st.integers(0, len(value) - 1))
        return [
            *value[:place],
            *([_bent(draw, value[place])] * draw(st.sampled_from([1, 1, 0, 2]))),
            *value[place + 1 :],
        ]
    name = draw(st.sampled_from(sorted(value)))
    rest = {key: item for key, item in value.items() if key != name}
    match draw(st.sampled_from(["inside", "inside", "inside", "gone", "renamed"])):
        case "inside":
            return {**value, name: _bent(draw, value[name])}
        case "gone":
            return rest
        case _:
            return {**rest, draw(st.sampled_from(["", "\0", "\ud800", "odd", name.upper()])): value[name]}


def json_line(value: Any) -> bytes:
    """A JSON value in one line; NaN and infinity as Python writes them."""
    return json.dumps(value).encode()


def any_of(parts: Sequence[Any]) -> Any:
    """One of these."""
    return st.sampled_from(list(parts))
