"""A card as JSON values: stored with an evaluation, printed by `harness plugins show`, drawn on the board."""

import dataclasses
import typing
from typing import Any

from harness.card import Card


def describe(card: Card) -> dict[str, Any]:
    """Everything a card says of itself, its knobs included, as plain JSON values."""
    return {
        "name": card.name,
        "kind": card.kind,
        "summary": card.summary,
        "family": card.family,
        "paper": dataclasses.asdict(card.paper) if card.paper else None,
        "gives": list(card.gives),
        "needs": list(card.needs),
        "presets": {name: dict(options) for name, options in card.presets.items()},
        "deviations": list(card.deviations),
        "claims": [dataclasses.asdict(claim) for claim in card.claims],
        "knobs": knobs(card),
    }


def knobs(card: Card) -> list[dict[str, Any]]:
    """One entry an option: name, type, default (absent if required), help, unit, the paper's value, limits."""
    hints = typing.get_type_hints(card.config)
    return [_knob(field, hints[field.name]) for field in dataclasses.fields(card.config)]


def _knob(field: "dataclasses.Field[Any]", hint: Any) -> dict[str, Any]:
    metadata = field.metadata
    entry: dict[str, Any] = {"name": field.name, "type": _type_name(hint, metadata.get("nested"))}
    if field.default is not dataclasses.MISSING:
        entry["default"] = list(field.default) if isinstance(field.default, tuple) else field.default
    return entry | {name: metadata.get(name) for name in ("help", "unit", "paper", "low", "high")}


def _type_name(hint: Any, nested: str | None) -> str:
    """The type as a user would write it: `float`, `english | none`, `retriever`, `retriever, …`."""
    if nested:
        return f"{nested}, …" if typing.get_origin(hint) is tuple else nested
    if typing.get_origin(hint) is typing.Literal:
        return " | ".join(map(str, typing.get_args(hint)))
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
