"""What a card must keep to: it is what users read, and what is loaded before anything heavy is."""

import dataclasses
import json
import subprocess
import sys
from typing import Any

from harness.card import SIGNALS
from harness.config import as_json
from harness.describe import describe
from harness.errors import ContractError
from harness.scoring import foreign
from harness.testing.subject import Subject

HEAVY = ("torch", "transformers", "sentence_transformers", "mteb", "datasets", "numpy", "pyarrow", "sqlalchemy")
"""What importing a plugin's entry point must leave alone: `Card.load` imports the method and what it needs."""


def card_is_complete(subject: Subject) -> None:
    """It says in a sentence what the plugin does, and what it gives or needs; its claims name known measures."""
    card = subject.card
    if not card.summary.strip():
        raise ContractError("expected the card to say the idea in a sentence, got an empty summary")
    for field, kind in (("gives", "teacher"), ("needs", "distiller")):
        signals: tuple[str, ...] = getattr(card, field)
        if signals and card.kind != kind:
            raise ContractError(f"expected {field!r} on the card of a {kind} only, got it on that of a {card.kind}")
        if unknown := [signal for signal in signals if signal not in SIGNALS]:
            raise ContractError(f"expected {field!r} to be among {', '.join(SIGNALS)}, got {', '.join(unknown)}")
    for claim in card.claims:
        foreign.parse(claim.measure)
    if card.paper and card.paper.url and not card.paper.url.startswith("https://"):
        raise ContractError(f"expected the paper's address to start with https://, got {card.paper.url!r}")


def options_are_sound(subject: Subject) -> None:
    """Config is a frozen dataclass, each option says what it does, defaults are within limits, presets can be read."""
    card = subject.card
    if not (dataclasses.is_dataclass(card.config) and card.config.__dataclass_params__.frozen):  # type: ignore[attr-defined]
        raise ContractError(f"expected Config to be a frozen dataclass, got {card.config.__name__}")
    for field in dataclasses.fields(card.config):
        _check_option(field)
    for stage in card.first_stages:
        if stage not in {field.name for field in dataclasses.fields(card.config) if field.metadata.get("nested")}:
            raise ContractError(f"expected first_stages to name options that nest a retriever, got {stage!r}")
    for preset in card.presets:
        subject.with_options({"preset": preset})
    json.dumps([describe(card), as_json(subject.chosen.config)])


def _check_option(field: "dataclasses.Field[Any]") -> None:
    if not field.metadata.get("help"):
        raise ContractError(f"expected option {field.name!r} to be made by knob() and to say what it does, got no help")
    low, high, default = field.metadata["low"], field.metadata["high"], field.default
    if isinstance(default, (int, float)) and not (low is None or default >= low) & (high is None or default <= high):
        raise ContractError(f"expected the default of {field.name!r} between {low} and {high}, got {default}")


def import_is_light(subject: Subject) -> None:
    """Importing the plugin imports nothing heavy; `Card.method` names a module that does."""
    _, source = subject.registry.find(subject.name, subject.kind)
    module = source.entry_point.module
    code = f"import sys, {module}; print(*[name for name in {HEAVY} if name in sys.modules])"
    paths = [path for path in sys.path if path]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {paths!r}; {code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ContractError(f"expected `import {module}` to work in a new process, got: {done.stderr.strip()[-300:]}")
    if heavy := done.stdout.split():
        raise ContractError(
            f"expected `import {module}` to import nothing heavy, got {', '.join(heavy)}; move it inside"
        )


CHECKS = (card_is_complete, options_are_sound, import_is_light)
