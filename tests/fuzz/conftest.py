"""What the fuzz tests share: how spoiled input is made, how often it is tried, and what must become of it.

`HARNESS_FUZZ_EXAMPLES` says how many inputs are tried at each border (100 unless it is set); with it, they are others
each time. `HARNESS_FUZZ_REPORT` names a file that gets a line of JSON a border. With `HARNESS_FUZZ_SECONDS`, atheris
looks for inputs at one border for so long, guided by which code each reaches: see guided.py.
"""

import gc
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from inspect import isfunction
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, given, settings

from harness.contracts import Task, TaskFacts
from harness.data.memory import memory_task
from harness.errors import HarnessError
from harness.records import Document, Query
from harness.store import Store, open_store

EXAMPLES = os.environ.get("HARNESS_FUZZ_EXAMPLES", "")
SECONDS = os.environ.get("HARNESS_FUZZ_SECONDS", "")
USUAL = 100
SLOWEST = 20.0
"""Seconds of the processor; an input that takes longer counts as a hang."""


LOGS = ("-wal", "-shm")
"""Endings of files that a database makes when it is read."""


@pytest.fixture(scope="session")
def mutations() -> ModuleType:
    """mutations.py of this folder."""
    from tests.fuzz import mutations

    return mutations


@pytest.fixture
def fuzz() -> Callable[[str, Any, Callable[[Any], None]], None]:
    """A function: name of a border, strategy for what comes, and what takes it in, which checks what it accepts."""

    def run(border: str, strategy: Any, take: Callable[[Any], None]) -> None:
        seen: Counter[str] = Counter()

        def check(example: Any) -> None:
            begun = time.process_time()
            try:
                take(example)
                seen["accepted"] += 1
            except HarnessError as error:
                seen["refused"] += 1
                _check_message(str(error))
            assert time.process_time() - begun < SLOWEST, "it takes too long"

        options = {"max_examples": int(EXAMPLES or USUAL), "database": None}
        silent = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
        tried = settings(**options, derandomize=not EXAMPLES, suppress_health_check=silent)(given(strategy)(check))
        if SECONDS:
            _guide(tried, lambda: _report(border, seen))
        tried()
        assert seen["refused"], f"{border}: every input was accepted, so that nothing was tried"
        _report(border, seen)

    return run


def _guide(tried: Any, report: Callable[[], None]) -> NoReturn:
    """Let atheris make the inputs; it ends the process, with a status that is not 0 once an input fails."""
    import atheris

    for function in gc.get_objects():
        if isfunction(function) and str(function.__module__).startswith("harness"):
            atheris.instrument_func(function)
    number = 0

    def one(content: bytes) -> None:
        nonlocal number
        tried.hypothesis.fuzz_one_input(content)
        number += 1
        if number % 100 == 0:
            report()

    options = {"max_total_time": SECONDS, "rss_limit_mb": 0, "len_control": 0, "max_len": 8192}
    options |= {"artifact_prefix": f"{tempfile.gettempdir()}/"}
    atheris.Setup([sys.argv[0], *(f"-{name}={value}" for name, value in options.items())], one)
    atheris.Fuzz()


def _check_message(message: str) -> None:
    assert message.strip(), "a refusal says why"
    assert "\n" not in message, f"expected one line, got {message}"


def _report(border: str, seen: Counter[str]) -> None:
    if file := os.environ.get("HARNESS_FUZZ_REPORT"):
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"border": border, **seen}) + "\n")


class Scratch:
    """Empty folders, one an input, each with a home of its own."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self._root, self._patch, self._empty = root, patch, root.with_name("empty") / "empty.db"

    def fresh(self) -> Path:
        """A folder with nothing in it; what the last input left is removed. The home is `home` in it."""
        shutil.rmtree(self._root, ignore_errors=True)
        (self._root / "home").mkdir(parents=True)
        self._patch.setenv("HARNESS_HOME", str(self._root / "home"))
        return self._root

    def store(self) -> Store:
        """An empty store in it: a copy of one, since to make one takes longer than most inputs."""
        if not self._empty.exists():
            self._empty.parent.mkdir(exist_ok=True)
            open_store(str(self._empty)).database.engine.dispose()
        return open_store(str(shutil.copy(self._empty, self._root / "a.db")))


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    return Scratch(tmp_path / "scratch", monkeypatch)


def _contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but logs of the database, by path."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if not path.name.endswith(LOGS)}


@pytest.fixture
def unchanged() -> Iterator[Callable[..., Any]]:
    """A function: a folder and what may be refused; a refusal must leave every file there as it was."""

    def attempt(folder: Path, act: Callable[[], Any]) -> Any:
        before = _contents(folder)
        try:
            return act()
        except HarnessError:
            assert _contents(folder) == before, "a refusal left something behind"
            raise

    return attempt


@pytest.fixture
def tiny(tmp_path: Path) -> Task:
    """A task of seven documents and three queries, one of which is itself a document that is no answer to it."""
    facts = TaskFacts(name="tiny", summary="Tiny.", splits=("test",), exclude_self=True)
    documents = [*(Document(id=f"d{n}", text=f"text {n}") for n in range(6)), Document(id="q1", text="itself")]
    queries = [Query(id=f"q{n}", text=f"query {n}") for n in (1, 2, 3)]
    judged = {"test": {f"q{n}": {f"d{n}": 1} for n in (1, 2, 3)}}
    return memory_task(facts, documents, queries, judged, tmp_path / "tiny")
