"""`stdlib-docs`: docstrings as queries and documents."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from harness_tasks.docstring import query_and_document, without_name
from harness_tasks.stdlib_docs import StdlibSource, build, split_of

from harness.card import NoConfig
from harness.contracts import Context, Task
from harness.data.task import SourceTask
from harness.errors import DataError

REST = "It waits until all of the workers have come to an end."


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        (f"Stop the pool.\n\n{REST}", ("Stop the pool.", REST)),
        (f"Stop\n  the pool.\n \n{REST}\n\nMore.", ("Stop the pool.", f"{REST}\n\nMore.")),
        (f"stop(pool, *, wait=True) -> None\n\nStop the pool.\n\n{REST}", ("Stop the pool.", REST)),
        ("Stop the pool.", None),  # no rest
        ("Stop the pool.\n\nIt waits.", None),  # hardly a rest
        (f"Stops.\n\n{REST}", None),  # hardly a query
        (f"stop(pool)\n\n{REST}", None),  # a signature and one paragraph
        (f"{'very ' * 41}long.\n\n{REST}", None),
        (f">>> pool.stop() # doctest: +ELLIPSIS\n\n{REST}", None),
        ("", None),
    ],
)
def test_the_summary_is_the_query_and_the_rest_the_document(docstring: str, expected: tuple[str, str] | None):
    assert query_and_document(docstring, "pool.Pool.close") == expected


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("Call sched.Timer.set_delay(3) or Timer.set_delay.", "sched.Timer.set_delay", "Call (3) or ."),
        (
            "Use set_delay, not reset_delay or set_delay_now.",
            "sched.Timer.set_delay",
            "Use , not reset_delay or set_delay_now.",
        ),
        ("To stop, call stop().", "sched.Timer.stop", "To stop, call ()."),  # an English word stays
        ("A Timer is no timer.", "sched.Timer", "A is no timer."),
        ("No name of its own in here.", "sched.Timer.stop", "No name of its own in here."),
    ],
)
def test_the_documents_own_name_goes_where_it_is_written_as_code(text: str, name: str, expected: str):
    assert without_name(text, name) == expected


def test_modules_are_in_one_split_each():
    assert split_of("json") == split_of("json.decoder.JSONDecoder.decode") == split_of("_json")
    assert {split_of(name) for name in sys.stdlib_module_names} == {"train", "dev", "test"}


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return build(NoConfig(), Context(folder=tmp_path_factory.mktemp("data"), build=lambda use: None))


def test_the_running_pythons_library(task: Task):
    corpus = task.corpus()
    assert len(corpus) > 1500
    queries = {split: task.queries(split) for split in task.facts.splits}
    total = sum(map(len, queries.values()))
    shares = {split: len(own) / total for split, own in queries.items()}
    assert 0.6 < shares["train"] < 0.8
    assert 0.05 < shares["dev"] < 0.15
    assert 0.15 < shares["test"] < 0.3
    texts = [query.text.casefold() for own in queries.values() for query in own]
    assert len(set(texts)) == len(texts)  # equal summaries are one query, in one split
    assert len(set(corpus.contents())) == len(corpus)  # equal texts are one document
    assert not {query.id for own in queries.values() for query in own} & set(corpus.ids)


def test_a_document_is_the_rest_of_its_querys_docstring(task: Task):
    assert json.dump.__doc__ is not None
    corpus, split = task.corpus(), split_of("json")
    position = task.qrels(split).query_ids.index("about:json.dump")
    summary = " ".join(json.dump.__doc__.strip().split("\n\n")[0].split())
    assert task.queries(split)[position].text == summary
    (row,), (grade,) = task.qrels(split).of(position)
    assert (corpus.ids[row], grade) == ("json.dump", 1)
    assert summary not in corpus[row].text
    assert "``skipkeys``" in corpus[row].text


BUILD = """
import sys
from harness.plugins import registry
from harness.tasks import open_task
task = open_task(registry(), "stdlib-docs")
print(*map(task.fingerprint, task.facts.splits))
print(*(name for name in ("antigravity", "this", "tkinter", "idlelib", "cgitb") if name in sys.modules))
"""


def test_building_imports_nothing_and_comes_to_the_same_in_another_process(task: Task):
    command = [sys.executable, "-c", BUILD]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    fingerprints, imported = printed.splitlines()
    assert fingerprints.split() == [task.fingerprint(split) for split in task.facts.splits]
    assert imported == ""


def test_a_python_without_its_docstrings_is_refused(tmp_path: Path):
    left = 'def load():\n    """Load a value.\n\n    From a file that was opened before, of course."""\n'
    (tmp_path / "json.py").write_text(left)
    with pytest.raises(DataError, match="got 1;"):
        SourceTask(StdlibSource(tmp_path), tmp_path / "kept").corpus()
