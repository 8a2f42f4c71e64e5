"""Text → a method's frozen Config, and the digest that identifies it."""

import dataclasses
import difflib
import hashlib
import json
import math
import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from harness.card import Card, Kind, Use
from harness.errors import ConfigError
from harness.plugins import Registry

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL, and what Python makes of bytes on a command line that are no UTF-8."""

LARGEST = 1 << 63
"""Whole numbers from here on have no place in a database, and not all of them in a float."""


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """`key=value` texts as a dictionary.

    Raises:
        ConfigError: a text without `=`, a key that comes twice, or NUL or bytes that are no UTF-8.
    """
    found: dict[str, str] = {}
    for text in texts:
        if UNSTORABLE.search(text):
            raise ConfigError(f"{option} expects text in UTF-8 without NUL, got {text!r}; correct it")
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"{option} expects KEY=VALUE, got {text!r}")
        if key in found:
            raise ConfigError(f"{option} {key} is given twice: {found[key]!r} and {value!r}; give it once")
        found[key] = value
    return found


def use(registry: Registry, kinds: tuple[Kind, ...], name: str, options: Mapping[str, str]) -> Use:
    """Choose the plugin `name` with these options.

    Args:
        registry: where plugins are looked up.
        kinds: the kinds it may be of.
        name: the plugin's name.
        options: text values by option name; `base.k1` is option `k1` of the plugin named by option `base`,
            `parts.bm25.k1` of the part named `bm25` (or by position: `parts.0.k1`), `preset` a named set.

    Raises:
        PluginNotFound, PluginBroken, PluginConflict: if there is no such plugin.
        ConfigError: an unknown option, a wrong type, a value out of range, a required option left out.
    """
    card, _ = registry.find(name, *kinds)
    return Use(card.kind, card.name, parse(registry, card, options))


def parse(registry: Registry, card: Card, options: Mapping[str, str]) -> Any:
    """An instance of `card.config` from text options; see `use`."""
    return fill(registry, card.name, card.config, _with_preset(card, options))


def fill(registry: Registry, owner: str, config: type, options: Mapping[str, str]) -> Any:
    """An instance of a dataclass whose fields are made by `knob`, from text options; see `use`.

    Args:
        registry: where nested plugins are looked up.
        owner: what the options are of, for messages.
        config: the dataclass.
        options: text values by option name.
    """
    fields = {field.name: field for field in dataclasses.fields(config)}
    own = {name: value for name, value in options.items() if "." not in name}
    for name in options:
        if name.split(".")[0] not in fields:
            raise ConfigError(_unknown(owner, name, fields))
    hints = typing.get_type_hints(config)
    values: dict[str, Any] = {}
    for name, field in fields.items():
        nested = {key.partition(".")[2]: value for key, value in options.items() if key.startswith(f"{name}.")}
        if field.metadata.get("nested"):
            values[name] = _nested(registry, owner, field, own.get(name), nested)
        elif nested:
            raise ConfigError(f"{owner}: option {name!r} is no plugin and has no options of its own ({nested})")
        elif name in own:
            values[name] = _value(owner, field, hints[name], own[name])
        elif _required(field):
            raise ConfigError(f"{owner}: option {name!r} is required ({field.metadata.get('help')}): -o {name}=…")
    return _build(owner, config, values)


def _build(owner: str, config: type, values: dict[str, Any]) -> Any:
    try:
        return config(**values)
    except ValueError as error:  # a Config may check what no single knob can say
        raise ConfigError(f"{owner}: {error}") from error


def _with_preset(card: Card, options: Mapping[str, str]) -> Mapping[str, str]:
    if "preset" not in options or "preset" in {field.name for field in dataclasses.fields(card.config)}:
        return options
    name = options["preset"]
    if name not in card.presets:
        known = ", ".join(card.presets) or "none"
        raise ConfigError(f"{card.name}: no preset named {name!r}; known: {known}")
    return {**card.presets[name], **{key: value for key, value in options.items() if key != "preset"}}


def _required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _unknown(owner: str, name: str, fields: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, fields, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(fields) or 'none'}"
    return f"{owner}: no option named {name!r}; {hint}"


def _nested(
    registry: Registry, owner: str, field: "dataclasses.Field[Any]", text: str | None, options: dict[str, str]
) -> Any:
    """The plugin, or tuple of plugins, that a nested option names."""
    if text is None and _required(field):
        raise ConfigError(f"{owner}: option {field.name!r} is required: -o {field.name}=PLUGIN")
    kind: Kind = field.metadata["nested"]
    default: Any = field.default
    many = "tuple" in str(field.type)
    if not many:
        chosen = text if text is not None else default
        return use(registry, (kind,), chosen, options) if chosen else None
    names = [name.strip() for name in text.split(",")] if text is not None else list(default)
    if not all(names):
        raise ConfigError(f"{owner}: option {field.name!r} expects names separated by commas, got {text!r}")
    parts = [_part_options(name, position, names, options) for position, name in enumerate(names)]
    unused = set(options) - {key for _, keys in parts for key in keys}
    if unused:
        raise ConfigError(
            f"{owner}: {field.name}.{sorted(unused)[0]} belongs to none of {', '.join(names)}; "
            f"write {field.name}.NAME.option or {field.name}.POSITION.option"
        )
    return tuple(use(registry, (kind,), name, part) for name, (part, _) in zip(names, parts, strict=True))


def _part_options(
    name: str, position: int, names: list[str], options: dict[str, str]
) -> tuple[dict[str, str], list[str]]:
    """The options of one of several nested plugins, and the keys they were given under."""
    prefixes = [f"{position}."] + ([f"{name}."] if names.count(name) == 1 else [])
    keys = {key: key[len(prefix) :] for prefix in prefixes for key in options if key.startswith(prefix)}
    return {short: options[key] for key, short in keys.items()}, list(keys)


def _value(owner: str, field: "dataclasses.Field[Any]", hint: Any, text: str) -> Any:
    try:
        value = convert(hint, text)
    except ValueError as error:
        raise ConfigError(f"{owner}: option {field.name!r} expects {error}, got {text!r}") from None
    low, high = field.metadata.get("low"), field.metadata.get("high")
    items = value if isinstance(value, tuple) else (value,)
    for item in items:
        if isinstance(item, (int, float)) and not _within(item, low, high):
            limits = f"a value from {'-∞' if low is None else low} to {'∞' if high is None else high}"
            raise ConfigError(f"{owner}: option {field.name!r} expects {limits}, got {text!r}")
    return value


def _within(value: float, low: float | None, high: float | None) -> bool:
    """Whether the value can be stored and lies between the limits."""
    return is_storable(value) and (low is None or value >= low) and (high is None or value <= high)


def is_storable(value: float) -> bool:
    """Whether a number can be stored as JSON: no NaN, no infinity, no whole number of more than 64 bits."""
    return abs(value) < LARGEST if isinstance(value, int) else math.isfinite(value)


def convert(hint: Any, text: str) -> Any:
    """`text` as a value of this type: bool, int, float, str, Literal, `X | None`, `tuple[X, ...]`.

    Raises:
        ValueError: with what was expected, in words.
    """
    origin = get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        if text.lower() in ("none", ""):
            return None
        inner = [part for part in get_args(hint) if part is not type(None)]
        return convert(inner[0], text) if len(inner) == 1 else _scalar(hint, text)
    if origin is tuple:
        return tuple(convert(get_args(hint)[0], item.strip()) for item in text.split(",")) if text else ()
    if origin is Literal:
        choices = {str(choice): choice for choice in get_args(hint)}
        if text not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return choices[text]
    return _scalar(hint, text)


def _scalar(hint: Any, text: str) -> Any:
    if hint is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError("true or false")
        return text.lower() == "true"
    if hint in (int, float):
        try:
            return hint(text)
        except ValueError:
            raise ValueError("a whole number" if hint is int else "a number") from None
    if hint is str:
        return text
    raise ValueError(f"nothing that can be written on a command line ({hint})")


def as_json(config: Any) -> dict[str, Any]:
    """A Config as plain JSON values, nested plugins as `{"plugin": name, "config": {…}}`."""
    return {field.name: _plain(getattr(config, field.name)) for field in dataclasses.fields(config)}


def _plain(value: Any) -> Any:
    if isinstance(value, Use):
        return {"plugin": value.name, "config": as_json(value.config)}
    if isinstance(value, tuple):
        items: tuple[Any, ...] = value
        return [_plain(item) for item in items]
    return value


def digest(value: Any) -> str:
    """sha256 (first 16 hexadecimal digits) of any JSON value, independent of key order."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def uses(chosen: Use) -> list[Use]:
    """A chosen plugin and all that are nested in it, depth first."""
    found = [chosen]
    for field in dataclasses.fields(chosen.config):
        value = getattr(chosen.config, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Use):
                found += uses(item)
    return found


def checkpoints(config: Any) -> list[str]:
    """The values of a Config's own options that name model checkpoints."""
    fields = [field for field in dataclasses.fields(config) if field.metadata.get("checkpoint")]
    return [value for field in fields if (value := getattr(config, field.name))]
