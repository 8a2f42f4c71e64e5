"""Records ↔ JSON values, checked field by field: what comes from another machine is foreign."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from typing import Any, Literal, get_args, get_origin, get_type_hints

from harness.errors import StoreError


def parts(record: Any) -> dict[str, Any]:
    """A record's fields by name, their values as they are."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def plain(value: Any) -> Any:
    """A value that JSON has no form for → one that it has, as `default` of `json.dumps`."""
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else parts(value)


def record(kind: type[Any], value: Any, where: str) -> Any:
    """The record that a JSON object holds; fields that it lacks have their default.

    Args:
        kind: class of the record.
        value: what was read.
        where: what it is called in an error.

    Raises:
        StoreError: naming the field that is unknown, missing or of another type.
    """
    if not isinstance(value, dict):
        raise StoreError(f"{where}: expected an object, got {_short(value)}")
    hints = get_type_hints(kind)
    if unknown := sorted(set(value) - set(hints)):
        raise StoreError(f"{where} has a field {unknown[0]!r} that this harness doesn't know; a newer one may")
    needed = {field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING}
    if missing := sorted(needed - set(value)):
        raise StoreError(f"{where} lacks {missing[0]!r}")
    return kind(**{name: _decode(part, hints[name], f"{where}.{name}") for name, part in value.items()})


def _decode(value: Any, hint: Any, where: str) -> Any:
    """The value as its field's type has it."""
    inner, origin = get_args(hint), get_origin(hint)
    if origin is Mapping and isinstance(value, dict):
        return {name: _decode(part, inner[1], f"{where}.{name}") for name, part in value.items()}
    if origin is tuple and isinstance(value, list):
        if inner[0] is float and set(map(type, value)) <= {float, int}:  # values by query: many
            return tuple(value)
        return tuple(_decode(part, inner[0], f"{where}.{place}") for place, part in enumerate(value))
    if isinstance(hint, type) and is_dataclass(hint) and not isinstance(value, hint):
        return record(hint, value, where)
    if hint is datetime and isinstance(value, str):
        return _moment(value, where)
    if hint is Any or _is(value, hint):
        return value
    raise StoreError(f"{where}: expected {getattr(hint, '__name__', hint)}, got {_short(value)}")


def _is(value: Any, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if isinstance(value, bool):  # which Python takes for an int
        return False
    return isinstance(value, int | float) if hint is float else isinstance(hint, type) and isinstance(value, hint)


def _moment(text: str, where: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise StoreError(f"{where}: expected a time, got {_short(text)}") from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
