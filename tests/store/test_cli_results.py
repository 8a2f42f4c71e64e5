"""`harness results`, on a store with a done evaluation, one that started from it, and one that failed."""

import csv
import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from harness.cli.results import results
from harness.errors import StoreError
from harness.store import open_store

FIRST, SECOND, FAILED = "0123456789abcdef", "eeee000000000000", "ffff000000000000"


@pytest.fixture
def kept(sample, with_run):
    store = open_store()
    store.put(with_run(store, sample()))
    store.put(sample(id=SECOND, first_stages=(FIRST,), seed=8, config={"k1": 1.2, "b": 0.75}))
    store.put(sample(id=FAILED, failed=True, task=sample().task))
    return store


def call(*words: str, typed: str | None = None, status: int = 0) -> str:
    result = CliRunner().invoke(results, words, input=typed, catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def test_list_as_json_has_what_other_programs_rely_on(kept, sample):
    rows = json.loads(call("list", "--format", "json"))
    assert [row["id"] for row in rows] == [FIRST, FAILED, SECOND]
    first, failed, _ = rows
    expected = {
        "method": "bm25",
        "config": {"k1": 0.9, "b": 0.75},
        "task": "nfcorpus",
        "split": "test",
        "seed": 7,
        "state": "done",
        "measures": dict(sample().measures),
        "cost": dict(sample().cost),
        "device": "cpu",
        "division": "closed",
        "suite": "beir-small",
        "command": sample().command,
        "error": "",
        "finished": "2026-01-02T03:05:00+00:00",
    }
    assert {name: first[name] for name in expected} == expected
    assert (failed["state"], failed["measures"], failed["error"]) == ("failed", {}, "DataError: bad")


def test_list_filters(kept):
    def ids(*words: str) -> list[str]:
        return [row["id"] for row in json.loads(call("list", "--format", "json", *words))]

    assert ids("--state", "failed") == [FAILED]
    assert ids("--method", "bm25", "--task", "nfcorpus", "--state", "done") == [FIRST, SECOND]
    assert ids("--method", "dense") == []


def test_list_for_people_shows_result_error_and_changed_options(kept):
    lines = call("list").splitlines()
    first, failed, second = (next(line for line in lines if name in line) for name in (FIRST, FAILED, SECOND))
    assert "nDCG@10 0.3000" in first
    assert "k1=0.9" in first
    assert "b=" not in first
    assert "k1" not in second, "the default value is no news"
    assert "DataError: bad" in failed


def test_foreign_text_does_not_steer_the_terminal(sample):
    open_store().put(sample(failed=True, error="\x1b[31mred\x1b[0m\n[bold]markup[/bold]"))
    output = call("list")
    assert "\x1b" not in output
    assert "[bold]markup[/bold]" in output


def test_show_by_prefix(kept, sample):
    detail = json.loads(call("show", "eeee", "--format", "json"))
    assert detail["first_stages"] == [FIRST]
    assert detail["environment"] == dict(sample().environment)
    assert detail["task_fingerprint"] == "ffff"
    page = call("show", FIRST)
    for text in ("config.k1", "0.9", "environment.packages.numpy", "2.4.6", sample().command, "artefacts.0.sha256"):
        assert text in page


def test_export_json_and_per_query_are_exact(kept, sample, tmp_path):
    call("export", FIRST, "--json", str(tmp_path / "a.json"), "--per-query", str(tmp_path / "a.csv"))
    everything = json.loads((tmp_path / "a.json").read_text())
    assert everything["per_query"]["RR@10"] == {"q1": 0.0, "q2": 0.1 + 0.2, "q3": 0.6}
    with (tmp_path / "a.csv").open(newline="") as file:
        table = list(csv.reader(file))
    assert table[0] == ["query", "nDCG@10", "RR@10", "AP"]
    assert [float(value) for value in table[2][1:]] == [0.3, 0.1 + 0.2, 1 / 3]
    assert [row[0] for row in table[1:]] == ["q1", "q2", "q3"]


def test_export_trec(kept, tmp_path):
    call("export", "0123", "--trec", str(tmp_path / "run"))
    tag = f"bm25-{FIRST}"
    lines = [f"q1 Q0 d2 1 1.5 {tag}", f"q1 Q0 d0 2 0.25 {tag}", f"q2 Q0 d1 1 3 {tag}"]
    assert (tmp_path / "run").read_text() == "\n".join(lines) + "\n"


def test_export_refuses_what_is_not_there(kept, tmp_path):
    assert "--trec" in call("export", FIRST, status=2)
    assert "no/such" in call("export", FIRST, "--json", str(tmp_path / "no/such/file"), status=1)
    for words in (["--trec", "x"], ["--mteb", "x"]):
        with pytest.raises(StoreError):
            call("export", FAILED, *words)
    kept.artefact_path(kept.evaluation(FIRST).artefacts[0]).write_bytes(b"changed")
    with pytest.raises(StoreError, match="changed"):
        call("export", FIRST, "--trec", str(tmp_path / "run"))


def test_export_mteb_is_read_by_mteb(sample, tmp_path):
    mteb = pytest.importorskip("mteb")
    from dataclasses import replace

    from mteb.results import TaskResult

    metadata = mteb.get_task("NFCorpus").metadata
    facts = {"revision": metadata.revision}
    task = replace(sample().task, name="mteb:NFCorpus", facts=facts)
    values = {"nDCG@10": 0.25, "R@100": 0.5, "AP": 0.125, "Judged@10": 1.0, "Success@1": 0.75, "RR@10": 0.375}
    done = {"measures": values, "per_query": {name: (value,) * 3 for name, value in values.items()}}
    store = open_store()
    store.put(sample(task=task, **done))
    store.put(sample(id=SECOND, task=replace(task, facts={"revision": "old"}), **done))
    other = {"measures": {"AP": 0.5}, "per_query": {"AP": (0.5,) * 3}}
    store.put(sample(id=FAILED, task=task, **other))
    call("export", FIRST, "--mteb", str(tmp_path / "a.json"))

    result = TaskResult.from_disk(tmp_path / "a.json")
    assert (result.task_name, result.dataset_revision) == ("NFCorpus", metadata.revision)
    assert result.get_score() == 0.25
    (scores,) = result.scores["test"]
    found = {name: value for name, value in scores.items() if isinstance(value, float)}
    expected = {"ndcg_at_10": 0.25, "recall_at_100": 0.5, "hit_rate_at_1": 0.75, "mrr_at_10": 0.375}
    assert found == expected | {"main_score": 0.25}
    assert result.date == datetime(2026, 1, 2, 3, 5, tzinfo=UTC)

    for name, word in ((SECOND, "revision"), (FAILED, "ndcg_at_10")):
        with pytest.raises(StoreError, match=word):
            call("export", name, "--mteb", str(tmp_path / "b.json"))


def test_remove_asks_first(kept):
    path = kept.artefact_path(kept.evaluation(FIRST).artefacts[0])
    assert "bm25 on nfcorpus" in call("remove", FIRST, SECOND, typed="n\n", status=1)
    assert path.exists()
    assert len(kept.evaluations()) == 3
    with pytest.raises(StoreError, match=SECOND):
        call("remove", FIRST, "--yes")
    assert "2 evaluations and 1 file removed" in call("remove", FIRST, SECOND, typed="y\n")
    assert not path.exists()
    assert [evaluation.id for evaluation in kept.evaluations()] == [FAILED]
