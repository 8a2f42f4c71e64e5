"""What the command line says of methods → chosen methods."""

import dataclasses
from collections.abc import Mapping, Sequence

from harness.config import convert, use
from harness.errors import ConfigError
from harness.plugins import Registry
from harness.records import Budget
from harness.runner.plan import Method


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """`key=value` texts as a dictionary.

    Raises:
        ConfigError: a text without `=`, or a key that comes twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"{option} expects KEY=VALUE, got {text!r}")
        if key in found:
            raise ConfigError(f"{option} {key} is given twice: {found[key]!r} and {value!r}; give it once")
        found[key] = value
    return found


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
        if not values[name] > 0:
            raise ConfigError(f"--budget {name} expects a value above 0, got {text!r}")
    return Budget(**values)  # type: ignore[arg-type]  # every value has its field's type by the conversion above


def choose(
    registry: Registry,
    plugins: Sequence[str],
    options: Mapping[str, str],
    teacher: str | None,
    student: str,
    limit: Budget,
) -> list[Method]:
    """The methods named, with their options.

    With one plugin all options are its own; with several, each option starts with its plugin's name. `--teacher` is the
    teacher of a distiller, or the option `teacher` of a retriever that has one, such as a cascade.

    Raises:
        ConfigError: an option that belongs to none of the plugins; see also `harness.config.use`.
    """
    methods: list[Method] = []
    for name, own in _scoped(plugins, options).items():
        card, _ = registry.find(name)
        if card.kind == "distiller":
            taught = {key.removeprefix("teacher."): value for key, value in own.items() if key.startswith("teacher.")}
            rest = {key: value for key, value in own.items() if not key.startswith("teacher.")}
            chosen = use(registry, ("teacher",), teacher, taught) if teacher else None
            distiller = use(registry, ("distiller",), name, rest)
            methods.append(Method(use=distiller, teacher=chosen, student=student, budget=limit))
        else:
            takes_teacher = any(field.name == "teacher" for field in dataclasses.fields(card.config))
            nested = {"teacher": teacher} if teacher and takes_teacher else {}
            alone = use(registry, (card.kind,), name, {**own, **nested})
            unused = use(registry, ("teacher",), teacher, {}) if teacher and not takes_teacher else None
            methods.append(Method(use=alone, teacher=unused, student=student))
    return methods


def _scoped(plugins: Sequence[str], options: Mapping[str, str]) -> dict[str, dict[str, str]]:
    names = list(dict.fromkeys(plugins))
    if len(names) == 1:
        return {names[0]: dict(options)}
    scoped: dict[str, dict[str, str]] = {name: {} for name in names}
    for key, value in options.items():
        name, _, rest = key.partition(".")
        if name not in scoped or not rest:
            raise ConfigError(f"with several plugins, expected -o PLUGIN.option=…, got -o {key}={value}")
        scoped[name][rest] = value
    return scoped
