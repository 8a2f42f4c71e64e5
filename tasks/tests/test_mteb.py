"""`mteb:<Task>` over local tasks (nothing is downloaded), and the metadata of mteb's own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.contracts import Task
from harness.data.task import SourceTask
from harness.errors import TaskNotFound
from harness.plugins import registry
from harness.records import Document, Query, Turn
from harness.tasks import open_task

mteb = pytest.importorskip("mteb")


CORPUS = [
    {"id": "d1", "title": "T", "text": "one"},
    {"id": "d2", "title": "", "text": "two"},
    {"id": "d3", "title": None, "text": "three"},
]
QUERIES = [{"id": "q1", "text": "first"}, {"id": "q2", "text": "second"}, {"id": "q3", "text": "third"}]
JUDGED = {"q2": {"d3": 2, "d1": 0}, "q1": {"d1": 1}, "q3": {"d1": 0}, "q9": {"d1": 1}}


def living(splits: dict[str, dict[str, Any]] | None = None, **metadata: Any) -> Any:
    """An mteb task that is all in memory: its parts by split."""
    from datasets import Dataset
    from mteb.abstasks import AbsTaskRetrieval
    from mteb.abstasks.task_metadata import TaskMetadata

    parts = splits or {"test": {}}
    fields: dict[str, Any] = {
        "name": "Toy", "description": "For tests.", "type": "Retrieval", "main_score": "map_at_10",
        "eval_langs": ["eng-Latn"], "eval_splits": list(parts), "dataset": {"path": "local/toy", "revision": "abc"},
        "license": "mit",
    }  # fmt: skip

    class Toy(AbsTaskRetrieval):
        ignore_identical_ids = True

        def load_data(self, num_proc: int | None = None, **_: Any) -> None:
            self.dataset = {
                subset: {split: self._part(parts[split]) for split in self.eval_splits} for subset in self.hf_subsets
            }
            self.data_loaded = True

        def _part(self, part: dict[str, Any]) -> Any:
            return {
                "corpus": Dataset.from_list(part.get("corpus", CORPUS)),
                "queries": Dataset.from_list(part.get("queries", QUERIES)),
                "relevant_docs": part.get("judged", JUDGED),
                "top_ranked": part.get("top_ranked"),
            }

    Toy.metadata = TaskMetadata(**(fields | metadata))
    return Toy()


def task(folder: Path, *args: Any, **metadata: Any) -> Task:
    from harness_tasks.from_mteb import mteb_task

    return mteb_task(living(*args, **metadata), folder)


def test_documents_queries_and_judgements(tmp_path: Path):
    toy = task(tmp_path)
    assert [toy.corpus()[row] for row in range(3)] == [
        Document(id="d1", title="T", text="one"), Document(id="d2", text="two"), Document(id="d3", text="three")
    ]  # fmt: skip
    # mteb's own order of judgements depends on chance: ours is that of the queries
    assert toy.queries("test") == (Query(id="q1", text="first"), Query(id="q2", text="second"))
    qrels = toy.qrels("test")
    assert (qrels.rows.tolist(), qrels.grades.tolist()) == ([0, 2, 0], [1, 2, 0])


def test_facts_are_those_of_the_metadata(tmp_path: Path):
    facts = task(tmp_path).facts
    assert (facts.name, facts.summary, facts.splits, facts.split) == ("mteb:Toy", "For tests.", ("test",), "test")
    assert (facts.revision, facts.licence, facts.languages) == ("abc", "mit", ("eng-Latn",))
    assert facts.measures[:2] == ("AP@10", "nDCG@10")
    assert facts.exclude_self


def test_a_score_of_mteb_that_is_not_computed_here_is_said(tmp_path: Path):
    facts = task(tmp_path, main_score="p-MRR").facts
    assert facts.measures[0] == "nDCG@10"
    assert "p-MRR" in facts.summary


def test_conversations_and_instructions(tmp_path: Path):
    said = [("user", "Hi"), ("assistant", "Hello"), ("user", "Why?")]
    asked = {
        "id": "q1",
        "text": [{"role": role, "content": text} for role, text in said],
        "instruction": "Find reasons",
    }
    told = {"test": {"queries": [asked], "judged": {"q1": {"d1": 1}}}}
    (query,) = task(tmp_path, told).queries("test")
    history = (Turn(role="user", text="Hi"), Turn(role="assistant", text="Hello"))
    assert query == Query(id="q1", text="Why?", history=history, instruction="Find reasons")
    spoken = {"test": {"queries": [{"id": "q1", "text": ["Hi", "Why?"]}], "judged": {"q1": {"d1": 1}}}}
    (query,) = task(tmp_path, spoken).queries("test")
    assert query == Query(id="q1", text="Why?", history=(Turn(role="user", text="Hi"),))


def test_a_reranking_task_has_candidates(tmp_path: Path):
    ranked = {"q2": ["d3", "d1", "d3"], "q1": ["d2", "d1"], "q3": ["d1"]}
    toy = task(tmp_path, {"test": {"top_ranked": ranked}}, type="Reranking")
    assert isinstance(toy, SourceTask)
    candidates = toy.candidates("test")
    assert candidates is not None
    assert candidates.rows.tolist() == [[1, 0], [2, 0]]
    plain = task(tmp_path)
    assert isinstance(plain, SourceTask)
    assert plain.candidates("test") is None
    assert toy.fingerprint("test") != plain.fingerprint("test")


def test_a_subset_is_named_where_there_are_several(tmp_path: Path):
    from harness_tasks.from_mteb import mteb_task

    languages = {"de": ["deu-Latn"], "fr": ["fra-Latn"]}
    with pytest.raises(TaskNotFound, match=r"mteb:Toy/de\|fr"):
        mteb_task(living(eval_langs=languages), tmp_path)
    with pytest.raises(TaskNotFound, match="'en'"):
        mteb_task(living(eval_langs=languages), tmp_path, "en")
    toy = mteb_task(living(eval_langs=languages), tmp_path, "fr")
    assert (toy.facts.name, toy.facts.languages) == ("mteb:Toy/fr", ("fra-Latn",))
    assert len(toy.corpus()) == 3


def test_a_split_with_a_corpus_of_its_own_is_a_task_of_its_own(tmp_path: Path):
    from harness_tasks.from_mteb import mteb_task

    splits = {"test": {}, "dev": {}, "long": {"corpus": CORPUS[::-1]}}
    toy = task(tmp_path, splits)
    assert len(toy.queries("dev")) == 2
    with pytest.raises(TaskNotFound, match="mteb:Toy/default@long"):
        toy.queries("long")
    alone = mteb_task(living(splits), tmp_path, split="long")
    assert (alone.facts.name, alone.facts.splits) == ("mteb:Toy@long", ("long",))
    assert alone.corpus()[0].id == "d3"
    assert len(alone.queries("long")) == 2


def test_the_callers_task_is_left_as_it_was(tmp_path: Path):
    from harness_tasks.from_mteb import mteb_task

    task = living({"test": {}, "dev": {}})
    mteb_task(task, tmp_path, split="dev").corpus()
    assert (task.eval_splits, task.data_loaded) == (["test", "dev"], False)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("NFCorpsu", "NFCorpus"),
        ("CQADupstackRetrieval", "mteb:CQADupstackTexRetrieval"),
        ("MIRACLReranking", "MIRACLReranking/ar"),
        ("MIRACLReranking/tlh", "'tlh'"),
        ("NFCorpus@dev", "'dev'"),
        ("STS12", "text retrieval"),
        ("Fashion200kI2TRetrieval", "text retrieval"),
        ("", "a task of mteb"),
    ],
)
def test_what_mteb_has_not_is_told(name: str, hint: str):
    with pytest.raises(TaskNotFound, match=hint):
        open_task(registry(), f"mteb:{name or '@'}")


def test_data_that_is_not_here_is_told_with_the_command_that_fetches_it():
    with pytest.raises(TaskNotFound, match=r"HF_HUB_OFFLINE=0 .*harness tasks show mteb:NFCorpus"):
        open_task(registry(), "mteb:NFCorpus").corpus()


OPEN = """
import sys
from harness.plugins import registry
from harness.tasks import open_task
print(open_task(registry(), "mteb:ArguAna").facts.exclude_self, "mteb" in sys.modules)
"""


def test_mteb_is_asked_for_facts_once_only():
    """The second process answers from what was kept, without the seconds that importing mteb takes."""
    command = [sys.executable, "-c", OPEN]
    printed = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert [line.split() for line in printed] == [["True", "True"], ["True", "False"]]
