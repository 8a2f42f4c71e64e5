"""Task names: of cards, of families with an argument, of folders; and what is said when there is none."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness.errors import ContractError, PluginBroken, TaskNotFound
from harness.plugins import Registry, Source
from harness.tasks import list_tasks, open_task

PLUGIN = """
from dataclasses import dataclass
from pathlib import Path
from harness import Card, hookimpl, knob

@dataclass(frozen=True, kw_only=True)
class Family:
    size: int = knob(help="how many documents")

def build(config, context):
    from harness.contracts import TaskFacts
    from harness.data.memory import memory_task
    from harness.records import Document, Query
    size = getattr(config, "size", 1)
    facts = TaskFacts(name="toy", summary="For tests.", splits=("test",))
    documents = [Document(id=str(i), text="x") for i in range(size)]
    return memory_task(facts, documents, [Query(id="q", text="x")], {"test": {"q": {"0": 1}}}, context.folder)

@hookimpl
def harness_tasks():
    def card(name, method="build", **more):
        return Card(name=name, kind="task", summary=f"The task {name}.", method=f"toy_tasks:{method}", **more)
    return [card("toy"), card("sized", config=Family), card("gone", "missing"), card("wrong", "list_of")]

def list_of(config, context):
    return []
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    (tmp_path / "toy_tasks.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    return Registry([Source("toys", "toy-tasks", "1.0", EntryPoint("toys", "toy_tasks", "harness"))])


@pytest.fixture(autouse=True)
def no_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARNESS_DATA", raising=False)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `$HARNESS_DATA` with a good collection, one of the name of a card, one that is no collection."""
    for name in ("mine", "toy"):
        folder = tmp_path / "data" / name
        (folder / "qrels").mkdir(parents=True)
        (folder / "corpus.jsonl").write_text('{"_id": "d1", "text": "x"}\n{"_id": "d2", "text": "y"}\n')
        (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "x"}\n')
        (folder / "qrels" / "dev.tsv").write_text("q1\td1\t1\n")
    (tmp_path / "data" / "other").mkdir()
    (tmp_path / "data" / "other" / "readme.txt").write_text("pairs of sentences")
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_card_by_its_name(registry: Registry):
    assert len(open_task(registry, "toy").corpus()) == 1


def test_a_family_takes_what_follows_the_colon_as_its_first_option(registry: Registry):
    assert len(open_task(registry, "sized:3").corpus()) == 3


@pytest.mark.usefixtures("folders")
def test_a_folder_by_its_plain_name_after_the_cards(registry: Registry):
    task = open_task(registry, "mine")
    assert (task.facts.name, task.facts.split, len(task.corpus())) == ("mine", "dev", 2)
    assert len(open_task(registry, "toy").corpus()) == 1  # the card, not the folder


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("tou", "did you mean toy"),
        ("mime", "did you mean mine"),
        ("unheard-of", "harness tasks list"),
        ("size:3", "did you mean sized"),
        ("sized", "sized:<size>"),
        ("sized:", "sized:<size>"),
        ("toy:3", "ask for toy"),
        ("other", "BEIR layout"),
        ("../data/mine", "beir:../data/mine"),
        ("..", "no task named"),
        ("", "no task named"),
    ],
)
@pytest.mark.usefixtures("folders")
def test_what_cannot_be_found_is_told_with_what_to_do(registry: Registry, name: str, hint: str):
    with pytest.raises(TaskNotFound, match=hint.replace(".", r"\.")):
        open_task(registry, name)


def test_the_place_that_was_looked_in_is_told(registry: Registry, folders: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(TaskNotFound, match=str(folders)):
        open_task(registry, "nothing")
    monkeypatch.delenv("HARNESS_DATA")
    with pytest.raises(TaskNotFound, match="not set"):
        open_task(registry, "nothing")


def test_a_broken_plugin_is_its_own_fault(registry: Registry):
    with pytest.raises(PluginBroken):
        open_task(registry, "gone")
    with pytest.raises(ContractError, match="list"):
        open_task(registry, "wrong")


@pytest.mark.usefixtures("folders")
def test_the_list_names_all_that_can_be_asked_for_and_builds_nothing(registry: Registry, own_home: Path):
    listed = {task.name: (task.source, task.splits) for task in list_tasks(registry)}
    assert listed == {
        "gone": ("toy-tasks 1.0", ()),
        "sized:<size>": ("toy-tasks 1.0", ()),
        "toy": ("toy-tasks 1.0", ()),  # which hides the folder of that name
        "wrong": ("toy-tasks 1.0", ()),
        "mine": ("HARNESS_DATA", ("dev",)),
    }
    assert not own_home.exists()
