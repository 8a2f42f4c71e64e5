"""What a plugin says of itself before anything heavy is imported."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.errors import PluginBroken

API_VERSION = 1
"""The plugin interface this harness speaks; a card written for another is refused."""

Kind = Literal["retriever", "teacher", "distiller", "task"]
KINDS: tuple[Kind, ...] = ("retriever", "teacher", "distiller", "task")

Signal = Literal["score", "prefer", "order", "embed", "features", "generate", "judge"]
SIGNALS: tuple[Signal, ...] = ("score", "prefer", "order", "embed", "features", "generate", "judge")


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Where a method was published."""

    title: str
    """Title of the paper."""
    authors: str
    """First authors, as cited."""
    year: int
    """Year of publication."""
    venue: str = ""
    """Conference or journal, abbreviated."""
    url: str = ""
    """A page that describes it; https only on the board."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A figure that the authors report, to be shown beside ours."""

    dataset: str
    """Data set as the paper names it."""
    measure: str
    """Measure as ir_measures names it."""
    value: float
    """The reported value, between 0 and 1 where the measure is."""
    source: str
    """Table or page that it stands in."""
    task: str = ""
    """The task of ours it can be compared with; empty if none can."""


@dataclass(frozen=True, kw_only=True)
class NoConfig:
    """The configuration of a plugin without knobs."""


@dataclass(frozen=True)
class Use:
    """A plugin chosen together with its options: what a nested plugin's option holds once it is parsed."""

    kind: Kind
    """What it is used as."""
    name: str
    """Its `Card.name`."""
    config: Any
    """An instance of its `Card.config`."""


def knob(  # noqa: PLR0913 - a keyword for each thing that a knob can say of itself
    default: Any = ...,
    help: str = "",
    *,
    unit: str = "",
    paper: Any = None,
    low: float | None = None,
    high: float | None = None,
    checkpoint: bool = False,
    nested: Kind | None = None,
) -> Any:
    """Make a field of a Config: its default, and what it says of itself.

    Args:
        default: the value if none is given; left out, the option is required.
        help: what it does, in a few words.
        unit: `tokens`, `documents` … where it has one.
        paper: the value that the paper uses, if it differs or is worth showing.
        low: the smallest allowed value.
        high: the largest allowed value.
        checkpoint: the value names a model; what it resolves to is part of an evaluation's identity.
        nested: the value names a plugin of this kind (annotate with `Use` or `tuple[Use, ...]`); a default is
            then a plugin name or a tuple of them.
    """
    metadata = {"help": help, "unit": unit, "paper": paper, "low": low, "high": high}
    metadata |= {"checkpoint": checkpoint, "nested": nested}
    return field(metadata=metadata) if default is ... else field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Card:
    """What the harness knows of a method without importing it."""

    name: str
    """Entry point, folder and command-line name; lower case with dashes."""
    kind: Kind
    """Which contract it fulfils."""
    summary: str
    """The idea in one sentence."""
    method: str
    """`package.module:attribute` of what builds it: called with (config, context)."""
    config: type = NoConfig
    """A frozen, keyword-only dataclass whose fields are made by `knob`."""
    api: int = API_VERSION
    """The interface version that it was written for."""
    family: str = ""
    """lexical, dense, sparse, late-interaction, static, reranker, ensemble …"""
    paper: Paper | None = None
    """Where it was published."""
    gives: tuple[Signal, ...] = ()
    """For a teacher: the signals it can give."""
    needs: tuple[Signal, ...] = ()
    """For a distiller: the signals it needs of its teacher."""
    first_stages: tuple[str, ...] = ()
    """Config fields that name retrievers whose evaluations on the task come first, are recorded by id and answer
    from their stored runs."""
    presets: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Named sets of options (`-o preset=NAME`); options given beside one win over it."""
    deviations: tuple[str, ...] = ()
    """Where it departs from the paper or from the released code."""
    claims: tuple[Claim, ...] = ()
    """Figures that the authors report."""

    def load(self) -> Callable[[Any, Any], Any]:
        """Import the method, heavy dependencies and all, and return what builds it from (config, context).

        Raises:
            PluginBroken: if the module can't be imported or has no such attribute.
        """
        module, _, attribute = self.method.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise PluginBroken(
                f"plugin {self.name}: expected {self.method!r} to be importable, got {type(error).__name__}: {error}; "
                "install what it needs or report it to its author"
            ) from error
