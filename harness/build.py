"""A chosen plugin (`Use`) → a living object, nested plugins and all."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.card import Card, Use
from harness.contracts import FP32, Context, Retriever
from harness.plugins import Registry


def _none_recorded(_: Use) -> Retriever | None:
    return None


def _not_remembered(_: Use, teacher: Any, outermost: bool) -> Any:
    return teacher


@dataclass(frozen=True, kw_only=True)
class Builder:
    """Builds plugins for one evaluation."""

    registry: Registry
    """Where cards are found."""
    folder: Path
    """Where every built plugin gets a folder of its own."""
    device: str = "cpu"
    """A torch device name."""
    devices: tuple[str, ...] = ()
    """See `harness.contracts.Context`."""
    seed: int = 0
    """The evaluation's seed."""
    mode: str = FP32
    """What models compute with, but for those of teachers, whose answers are kept and served to everybody."""
    trust_remote_code: frozenset[str] = frozenset()
    """Checkpoints whose own code may run."""
    recorded: Callable[[Use], Retriever | None] = _none_recorded
    """A stored run in place of a first stage, where there is one."""
    remember: Callable[[Use, Any, bool], Any] = _not_remembered
    """What a teacher is seen through, and whether it stands in no other teacher."""
    _counter: list[int] = field(default_factory=lambda: [0])

    def build(self, chosen: Use, lasting: Path | None = None) -> Any:
        """What the plugin's card loads, called with its config and a context.

        Args:
            chosen: the plugin and its options.
            lasting: where a distiller keeps its training, and a retriever what it has of an index.

        Raises:
            PluginNotFound, PluginBroken, PluginConflict: if it can't be loaded.
        """
        return self._build(chosen, lasting, within_teacher=False)

    def _build(self, chosen: Use, lasting: Path | None, within_teacher: bool) -> Any:
        card, _ = self.registry.find(chosen.name, chosen.kind)
        mode = FP32 if within_teacher or card.kind == "teacher" else self.mode
        built = card.load()(chosen.config, self._context(card, chosen, lasting, mode))
        return self.remember(chosen, built, not within_teacher) if card.kind == "teacher" else built

    def _context(self, card: Card, chosen: Use, lasting: Path | None, mode: str) -> Context:
        self._counter[0] += 1
        folder = self.folder / f"{self._counter[0]}-{re.sub(r'[^a-z0-9-]', '-', chosen.name)}"
        folder.mkdir(parents=True)
        return Context(
            folder=folder,
            build=lambda nested: self._nested(card, chosen, nested),
            device=self.device,
            devices=self.devices,
            seed=self.seed,
            trust_remote_code=self.trust_remote_code,
            lasting=lasting,
            mode=mode,
        )

    def _nested(self, card: Card, chosen: Use, nested: Use) -> Any:
        stored = self.recorded(nested) if nested in first_stages(card, chosen) else None
        return stored or self._build(nested, None, within_teacher=card.kind == "teacher")


def first_stages(card: Card, chosen: Use) -> list[Use]:
    """The retrievers whose evaluations on the task must come before this one's."""
    values = [getattr(chosen.config, name) for name in card.first_stages]
    items = [item for value in values for item in (value if isinstance(value, tuple) else (value,))]
    return [item for item in items if isinstance(item, Use)]
