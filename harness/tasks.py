"""Task names → tasks.

`family:argument` is the task card `family` given its first option; a plain name is the card of that name, else the
sub-folder of `$HARNESS_DATA` of that name, in BEIR layout.
"""

import dataclasses
import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from harness.card import Card, Use
from harness.config import parse
from harness.contracts import Context, Task
from harness.data.beir import BeirSource
from harness.data.task import SourceTask
from harness.errors import ContractError, PluginNotFound, TaskNotFound
from harness.home import existing_folder, home
from harness.plugins import Registry


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A task, or family of tasks, that can be asked for by name."""

    name: str
    """As given to `--task`; of a family, `family:<argument>`."""
    source: str
    """The distribution that provides it, or `HARNESS_DATA`."""
    splits: tuple[str, ...]
    """Its splits, where they are known without opening it."""
    summary: str
    """What it is."""


def open_task(registry: Registry, name: str) -> Task:
    """The task of this name; nothing of it is read yet.

    Raises:
        TaskNotFound: there is none, or its data is not here; says what was looked for.
        PluginBroken, PluginConflict: if the plugin that provides it can't be loaded.
    """
    family, colon, argument = name.partition(":")
    try:
        card, _ = registry.find(family, "task")
    except PluginNotFound:
        if colon:
            _no_family(registry, name, family)
        return _from_folder(registry, name)
    return _build(registry, card, name, argument if colon else None)


def list_tasks(registry: Registry) -> list[Listed]:
    """All names that can be asked for; nothing is opened, built or fetched."""
    cards = [
        Listed(name=_pattern(card), source=f"{source.distribution} {source.version}", splits=(), summary=card.summary)
        for card, source in registry.cards("task")
    ]
    taken = {listed.name for listed in cards}
    return sorted(cards, key=lambda listed: listed.name) + [one for one in _folders() if one.name not in taken]


def _argument(card: Card) -> str | None:
    """Name of the option that a family takes after the colon: its first, if that is required."""
    fields = dataclasses.fields(card.config)[:1]
    required = [f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING]
    return required[0] if required else None


def _pattern(card: Card) -> str:
    argument = _argument(card)
    return f"{card.name}:<{argument}>" if argument else card.name


def _build(registry: Registry, card: Card, name: str, argument: str | None) -> Task:
    takes = _argument(card)
    if takes and not argument:
        raise TaskNotFound(f"{name}: {card.name} is a family of tasks; expected {_pattern(card)}")
    if argument is not None and not takes:
        raise TaskNotFound(f"{name}: {card.name} takes nothing after its name, got {argument!r}; ask for {card.name}")
    config = parse(registry, card, {takes: argument} if takes and argument else {})
    task = card.load()(config, Context(folder=home() / "data", build=_no_nested))
    if not isinstance(task, Task):
        raise ContractError(f"{card.name}: expected a task (harness.contracts.Task), got {type(task).__name__}")
    return task


def _no_nested(_: Use) -> Any:
    raise ContractError("a task can't be built from other plugins; expected one that reads its own data")


def _data_folder() -> Path | None:
    folder = os.environ.get("HARNESS_DATA")
    return Path(folder).expanduser() if folder else None


def _folders() -> list[Listed]:
    data = _data_folder()
    if data is None or not data.is_dir():
        return []
    found: list[Listed] = []
    for folder in sorted(data.iterdir()):
        if (folder / "corpus.jsonl").is_file():
            try:
                facts = BeirSource(folder, folder.name).facts
            except TaskNotFound:
                continue
            found.append(Listed(name=facts.name, source="HARNESS_DATA", splits=facts.splits, summary=facts.summary))
    return found


def _from_folder(registry: Registry, name: str) -> Task:
    data = _data_folder()
    plain = bool(name) and name not in (".", "..") and not set(name) & {"/", os.sep}
    if data is not None and plain and existing_folder(str(data / name)):
        return SourceTask(BeirSource(data / name, name))
    looked = f"a sub-folder of {data}" if data else "a sub-folder of $HARNESS_DATA, which is not set"
    hint = _near(registry, name) if plain else f"name a folder as beir:{name}"
    raise TaskNotFound(f"no task named {name!r}: looked for a task plugin of that name and {looked}; {hint}")


def _no_family(registry: Registry, name: str, family: str) -> NoReturn:
    known = [card.name for card, _ in registry.cards("task") if _argument(card)]
    near = difflib.get_close_matches(family, known, n=1)
    hint = f"did you mean {near[0]}:…?" if near else f"known: {', '.join(known) or 'none; pip install harness-tasks'}"
    raise TaskNotFound(f"{name}: no family of tasks named {family!r} is installed; {hint}")


def _near(registry: Registry, name: str) -> str:
    near = difflib.get_close_matches(name, [listed.name for listed in list_tasks(registry)], n=3)
    return f"did you mean {', '.join(near)}?" if near else "see `harness tasks list`"
