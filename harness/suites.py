"""Suites: TOML files that fix which tasks, measure and seeds belong together, and figures published for them."""

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from harness.config import is_storable
from harness.errors import ConfigError
from harness.plugins import Registry
from harness.records import Budget

Division = Literal["open", "closed"]


Role = Literal["method", "control", "ceiling", "untrained", "baseline"]
"""What a method is for in its suite."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A figure that somebody reports for the suite."""

    method: str
    """As its source names it, variant included."""
    measure: str
    """As ir_measures names it."""
    value: float
    """Between 0 and 1 where the measure is."""
    source: str
    """Where it was published."""
    average: str = ""
    """What it is the mean of, in the source's words; empty if it is one task's."""
    task: str = ""
    """The task, or group of tasks, it is for; empty if it is an average over the suite."""


@dataclass(frozen=True, kw_only=True)
class SuiteTeacher:
    """A teacher of a closed suite."""

    plugin: str
    """The plugin."""
    name: str = ""
    """What the suite calls it, where several are of one plugin."""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """Its options; `trained:NAME` is the student of the suite's method NAME."""


@dataclass(frozen=True, kw_only=True)
class SuiteTraining:
    """What a closed suite fixes for every distiller."""

    tasks: tuple[str, ...]
    """The tasks whose training data is used, together."""
    student: str
    """The student's checkpoint."""
    budget: Budget
    """What may be used."""
    teachers: tuple[SuiteTeacher, ...] = ()
    """The teachers; a method gets the first that gives the signals it needs."""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """Options that every method which has them must have: batch, lists, length, learning rate …."""
    checkpoints: tuple[str, ...] = ()
    """Further checkpoints that a method may use, such as one that a teacher stands on."""
    candidates: str = ""
    """Digest of the candidate lists that every method sees; empty while a suite is being made."""


@dataclass(frozen=True, kw_only=True)
class SuiteMethod:
    """A method of a suite."""

    plugin: str
    """The plugin."""
    name: str = ""
    """What the suite calls it, where a teacher is `trained:` by it."""
    role: Role = "method"
    """Label-only student, teacher, student as it came, or a baseline that is no student; else a method."""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """Its options beside those that the suite fixes."""
    teacher: str = ""
    """Name or plugin of the suite's teacher that it gets, where that isn't the first that fits."""
    student: str = ""
    """For a ceiling: another student than the suite's."""
    budget: Budget | None = None
    """For a ceiling: another budget than the suite's."""
    seeds: tuple[int, ...] = ()
    """Other seeds than the suite's."""


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A suite file; its keys are these fields."""

    name: str
    """As given to `--suite`."""
    title: str
    """What a person calls it."""
    tasks: tuple[str, ...]
    """Task names."""
    division: Division = "open"
    """Whether student, teacher and budget are fixed too."""
    measure: str = "nDCG@10"
    """The measure that is averaged over its tasks."""
    seeds: tuple[int, ...] = (0,)
    """Every method runs once a seed."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Tasks of which the mean counts as one task (CQADupStack's forums), by the group's name."""
    published: tuple[Published, ...] = ()
    """Figures to compare with."""
    training: SuiteTraining | None = None
    """Of a closed suite: what is fixed for every distiller."""
    methods: tuple[SuiteMethod, ...] = ()
    """Methods that are run unless others are named."""


def load_suite(registry: Registry, name_or_path: str) -> Suite:
    """The suite in this file, or the one that a plugin provides under this name.

    Raises:
        ConfigError: there is none, or its file is malformed.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml" or "/" in name_or_path:
        return read_suite(path)
    known = suite_files(registry)
    if name_or_path not in known:
        near = difflib.get_close_matches(name_or_path, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known) or 'none'}; or name a .toml file"
        raise ConfigError(f"no suite named {name_or_path!r} is installed; {hint}")
    return read_suite(known[name_or_path])


def suite_files(registry: Registry) -> dict[str, Path]:
    """The files of all suites that plugins provide, by name.

    Raises:
        ConfigError: two plugins provide one name.
    """
    found: dict[str, Path] = {}
    for files in registry.manager.hook.harness_suites():
        for name, path in files.items():
            if name in found:
                raise ConfigError(f"two plugins provide a suite named {name!r}: {found[name]} and {path}; remove one")
            found[name] = Path(path)
    return dict(sorted(found.items()))


def read_suite(path: Path) -> Suite:
    """The suite in this file.

    Raises:
        ConfigError: it can't be read; a key is unknown, missing or of a wrong type; a group's task is not in the suite.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"suite {path}: expected a TOML file, got {type(error).__name__}: {error}") from error
    where = f"suite {path.name}"
    suite: Suite = _record(where, Suite, values)
    if not suite.tasks or len(set(suite.tasks)) != len(suite.tasks):
        raise ConfigError(f"{where}: expected tasks, each named once, got {list(suite.tasks)}; correct them")
    grouped = [task for tasks in suite.groups.values() for task in tasks]
    for task in grouped:
        if task not in suite.tasks or grouped.count(task) > 1:
            raise ConfigError(f"{where}: groups name {task!r}; expected a task of the suite, in one group")
    if (suite.division == "closed") != (suite.training is not None):
        raise ConfigError(f"{where}: a closed suite has a table 'training', an open one has none; correct it")
    for row in suite.published:
        if bool(row.task) == bool(row.average) or (row.task and row.task not in (*suite.tasks, *suite.groups)):
            got = f"task {row.task!r} and average {row.average!r}"
            raise ConfigError(f"{where}: published: expected a task or group of the suite, or an average, got {got}")
    return suite


def _record(where: str, shape: type, values: Any) -> Any:
    """An instance of a dataclass from the TOML table that holds its fields."""
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: expected a table, got {values!r}; correct it")
    table = cast(dict[str, Any], values)
    fields = {field.name: field for field in dataclasses.fields(shape)}
    for key in table:
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(fields)}"
            raise ConfigError(f"{where}: no key named {key!r}; {hint}")
    for name, one in fields.items():
        if one.default is one.default_factory is dataclasses.MISSING and name not in table:
            raise ConfigError(f"{where}: key {name!r} is missing; add it")
    hints = get_type_hints(shape)
    return shape(**{key: _fit(f"{where}: {key}", hints[key], value) for key, value in table.items()})


def _fit(where: str, hint: Any, value: Any) -> Any:
    """A TOML value as this type: text, number, choice, list, table of lists, or record; TOML has no null."""
    if get_origin(hint) in (types.UnionType, typing.Union):
        return _fit(where, get_args(hint)[0], value)
    if dataclasses.is_dataclass(hint):
        return _record(where, cast(type, hint), value)
    return _many(where, hint, value) if get_origin(hint) in (tuple, Mapping) else _one(where, hint, value)


def _many(where: str, hint: Any, value: Any) -> Any:
    """A list, or a table of any names."""
    wanted, kind = get_args(hint), list if get_origin(hint) is tuple else dict
    if not isinstance(value, kind):
        raise _unfit(where, hint, value)
    if kind is list:
        return tuple(_fit(where, wanted[0], item) for item in cast(list[Any], value))
    return {key: _fit(where, wanted[1], item) for key, item in cast(dict[str, Any], value).items()}


def _one(where: str, hint: Any, value: Any) -> Any:
    """Text, a number or a choice."""
    if get_origin(hint) is Literal:
        fits = value in get_args(hint)
    elif hint is str:
        fits = isinstance(value, str) and value != ""
    else:
        number = isinstance(value, int | float if hint is float else int) and not isinstance(value, bool)
        fits = number and is_storable(value) and value >= 0
    if not fits:
        raise _unfit(where, hint, value)
    return hint(value) if hint in (int, float) else value


def _unfit(where: str, hint: Any, value: Any) -> ConfigError:
    return ConfigError(f"{where}: expected {_words(hint)}, got {value!r}; correct it")


def _words(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return f"one of {', '.join(get_args(hint))}"
    words = {str: "text that is not empty", int: "a whole number from 0", float: "a number from 0, finite"}
    return words.get(hint, "a list" if get_origin(hint) is tuple else "a table")
