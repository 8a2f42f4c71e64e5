"""What the command line says of methods → chosen methods."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.config import convert, is_storable, use
from harness.errors import ConfigError
from harness.plugins import Registry
from harness.records import Budget
from harness.runner.plan import Method


def budget(limits: Mapping[str, str]) -> Budget:
    """A budget from text limits.

    Raises:
        ConfigError: an unknown limit, or a value that is no positive number.
    """
    fields = {field.name: field for field in dataclasses.fields(Budget)}
    values: dict[str, float] = {}
    for name, text in limits.items():
        if name not in fields:
            raise ConfigError(f"--budget has no limit {name!r}; known: {', '.join(fields)}")
        try:
            values[name] = convert(float if name == "seconds" else int, text)
        except ValueError as error:
            raise ConfigError(f"--budget {name} expects {error}, got {text!r}") from None
        if not (is_storable(values[name]) and values[name] > 0):
            raise ConfigError(
                f"--budget {name} expects a value above 0 and finite, got {text!r}; leave out what has no limit"
            )
    return Budget(**values)  # type: ignore[arg-type]  # every value has its field's type by the conversion above


@dataclass(frozen=True, kw_only=True)
class Lessons:
    """What the command line says of how distillers learn."""

    teacher: str | None = None
    """Name of the teacher."""
    student: str = ""
    """The student's checkpoint."""
    budget: Budget = field(default_factory=Budget)
    """What may be used."""
    train_on: tuple[str, ...] = ()
    """Tasks to train on."""


def choose(registry: Registry, plugins: Sequence[str], options: Mapping[str, str], lessons: Lessons) -> list[Method]:
    """The methods named, with their options.

    With one plugin all options are its own; with several, each option starts with its plugin's name. The teacher is
    that of a distiller, or the option `teacher` of a retriever that has one, such as a cascade.

    Raises:
        ConfigError: an option that belongs to none of the plugins; see also `harness.config.use`.
    """
    return [_method(registry, name, own, lessons) for name, own in scoped(plugins, options).items()]


def _method(registry: Registry, name: str, options: dict[str, str], lessons: Lessons) -> Method:
    card, _ = registry.find(name, "retriever", "distiller", "teacher")
    if (
        card.kind != "distiller"
        and lessons.teacher
        and "teacher" in {knob.name for knob in dataclasses.fields(card.config)}
    ):
        return Method(use=use(registry, (card.kind,), name, {"teacher": lessons.teacher} | options))
    teaching = {key: value for key, value in options.items() if key.startswith("teacher.")}
    own = {key: value for key, value in options.items() if key not in teaching or not lessons.teacher}
    teacher = None
    if lessons.teacher:
        scoped = {key.removeprefix("teacher."): value for key, value in teaching.items()}
        teacher = use(registry, ("teacher",), lessons.teacher, scoped)
    chosen = use(registry, (card.kind,), name, own)
    return Method(
        use=chosen, teacher=teacher, student=lessons.student, budget=lessons.budget, train_on=lessons.train_on
    )


def scoped(plugins: Sequence[str], options: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The options of each plugin: all of them if there is one, else those that start with its name.

    Raises:
        ConfigError: an option that names none of several plugins.
    """
    names = list(dict.fromkeys(plugins))
    if len(names) == 1:
        return {names[0]: dict(options)}
    found: dict[str, dict[str, str]] = {name: {} for name in names}
    for key, value in options.items():
        name, _, rest = key.partition(".")
        if name not in found or not rest:
            raise ConfigError(f"with several plugins, expected -o PLUGIN.option=…, got -o {key}={value}")
        found[name][rest] = value
    return found
