"""`harness score` and `harness compare` on a small folder and a small store."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from harness.cli.main import main
from harness.statistics.significance import t_test
from harness.store import open_store
from harness.store.records import Evaluation, MethodRecord, TaskRecord

QUERIES = {"q1": "one", "q2": "two", "q3": "three"}
RELEVANT = {"q1": "d1", "q2": "d2", "q3": "d3"}


@pytest.fixture
def harness(capsys: pytest.CaptureFixture[str]):
    """Runs a command; gives status, output and error output."""

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A task `small` with four documents, and a place for run files."""
    small = tmp_path / "data" / "small"
    (small / "qrels").mkdir(parents=True)
    documents = [{"_id": f"d{n}", "title": "", "text": f"number {n}"} for n in range(4)]
    (small / "corpus.jsonl").write_text("".join(json.dumps(document) + "\n" for document in documents))
    lines = [json.dumps({"_id": name, "text": text}) + "\n" for name, text in QUERIES.items()]
    (small / "queries.jsonl").write_text("".join(lines))
    judged = [f"{query}\t{document}\t1\n" for query, document in RELEVANT.items()]
    (small / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(judged))
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    return tmp_path


def test_score_a_run_file(harness, folder: Path) -> None:
    (folder / "a.run").write_text("q1 Q0 d1 1 2 t\nq2 Q0 d3 1 2 t\nq2 Q0 d2 2 1 t\n")
    words = ["score", "--run", folder / "a.run", "--task", "small", "--measure", "RR", "--measure", "P(rel=1)@1"]
    status, out, _ = harness(*words, "--per-query", "--format", "json")
    assert status == 0
    assert json.loads(out) == {
        "task": "small",
        "split": "test",
        "queries": 3,
        "unanswered": 1,
        "measures": {"RR": 0.5, "P(rel=1)@1": pytest.approx(1 / 3)},
        "per_query": {"RR": {"q1": 1.0, "q2": 0.5, "q3": 0.0}, "P(rel=1)@1": {"q1": 1.0, "q2": 0.0, "q3": 0.0}},
    }
    status, out, _ = harness(*words, "--per-query")
    assert status == 0
    assert ["RR", "0.5000"] in [line.split() for line in out.splitlines()]
    assert ["q2", "0.5000", "0.0000"] in [line.split() for line in out.splitlines()]


def test_score_takes_the_tasks_own_measures(harness, folder: Path) -> None:
    (folder / "a.run").write_text("q1 Q0 d1 1 2 t\n")
    out = harness("score", "--run", folder / "a.run", "--task", "small", "--format", "json")[1]
    assert list(json.loads(out)["measures"]) == ["nDCG@10", "RR@10", "R@100", "AP"]


@pytest.mark.parametrize(
    ("line", "measure", "words"),
    [
        ("q9 Q0 d1 1 2 t", "RR", "a.run:2"),
        ("q2 Q0 d1 1 nan t", "RR", "a.run:2"),
        ("q2 Q0 d1 1 2 t", "MMR", "did you mean MRR"),
    ],
)
def test_score_refuses_bad_input_with_one_line(harness, folder: Path, line: str, measure: str, words: str) -> None:
    (folder / "a.run").write_text(f"q1 Q0 d1 1 2 t\n{line}\n")
    status, out, err = harness("score", "--run", folder / "a.run", "--task", "small", "--measure", measure)
    assert (status, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_score_needs_a_file_that_is_there(harness, folder: Path) -> None:
    status, _, err = harness("score", "--run", folder / "none.run", "--task", "small")
    assert status == 2
    assert "none.run" in err


EVALUATION = Evaluation(
    id="a" * 16,
    state="done",
    method=MethodRecord(implementation="i", name="m", kind="retriever", distribution="harness-m", version="1", card={}),
    config={},
    config_digest="c",
    checkpoints={},
    task=TaskRecord(
        fingerprint="f" * 64,
        name="small",
        split="test",
        facts={"measures": ["RR", "AP"]},
        query_ids=("q1", "q2", "q3"),
        query_texts=("one", "two", "three"),
    ),
    seed=0,
    device="cpu",
    environment={},
    harness_version="1",
    command="harness run",
    started=datetime(2026, 1, 1, tzinfo=UTC),
    finished=datetime(2026, 1, 1, tzinfo=UTC),
)


def put(name: str, seed: int, values: dict[str, tuple[float, ...]], digit: str, **changes) -> Evaluation:
    """Store an evaluation of a method."""
    means = {measure: sum(column) / len(column) for measure, column in values.items()}
    made = replace(EVALUATION, id=digit * 16, seed=seed, measures=means, per_query=values)
    made = replace(made, method=replace(made.method, name=name, implementation=f"of {name}"), **changes)
    open_store().put(made)
    return made


@pytest.fixture
def stored(own_home: Path) -> None:
    put("good", 0, {"RR": (1.0, 0.5, 0.5), "AP": (0.5, 0.5, 0.5), "P@1": (1.0, 0.0, 0.0)}, "1")
    put("good", 1, {"RR": (1.0, 1.0, 0.0), "AP": (0.5, 0.5, 0.5), "P@1": (1.0, 1.0, 0.0)}, "2")
    put("bad", 0, {"RR": (0.5, 0.25, 0.25), "AP": (0.5, 0.25, 0.25), "P@1": (0.0, 0.0, 0.0)}, "3")


def test_compare_averages_seeds_and_adjusts_over_measures(harness, stored: None) -> None:
    status, out, _ = harness("compare", "good", "bad", "--task", "small", "--format", "json")
    found = json.loads(out)
    assert status == 0
    assert (found["a"]["seeds"], found["b"]["seeds"]) == ([0, 1], [0])
    assert list(found["measures"]) == ["RR", "AP"]  # the task's own
    rr, ap = found["measures"].values()
    assert (rr["wins"], rr["ties"], rr["losses"], rr["queries"]) == (2, 1, 0, 3)
    mean = np.array([1.0, 0.75, 0.25])
    assert rr["difference"] == pytest.approx(1 / 3)
    assert rr["p_t"] == pytest.approx(t_test(mean, np.array([0.5, 0.25, 0.25])))
    smaller, larger = sorted([rr["p_t"], ap["p_t"]])
    assert sorted([rr["p_t_holm"], ap["p_t_holm"]]) == pytest.approx(sorted([2 * smaller, max(2 * smaller, larger)]))
    status, out, _ = harness("compare", "good", "bad", "--task", "small")
    assert status == 0
    assert any(line.split()[:4] == ["RR", "0.6667", "0.3333", "+0.3333"] for line in out.splitlines())
    assert any(line.split()[0] == "RR" and line.split()[-1] == "2/1/0" for line in out.splitlines() if line.split())


def test_compare_tests_every_two_of_several_and_adjusts_over_all(harness, stored: None) -> None:
    put("other", 0, {"RR": (1.0, 0.25, 1.0), "AP": (0.5, 0.5, 0.25)}, "4")
    status, out, _ = harness("compare", "bad", "good", "other", "--task", "small", "--format", "json")
    found = json.loads(out)
    assert status == 0
    assert [one["method"] for one in found["methods"]] == ["bad", "good", "other"]
    rr, ap = found["measures"]["RR"], found["measures"]["AP"]
    assert rr["means"] == pytest.approx([1 / 3, 2 / 3, 0.75])
    # bad and good differ by .5 .5 0, of whose four patterns two are as extreme; good and other by 0 .5 -.75: all four
    assert (rr["p_randomisation"][0][1], rr["p_randomisation"][1][2], rr["queries"]) == (0.5, 1.0, 3)
    assert np.array(rr["p_randomisation_holm"]).tolist() == np.ones((3, 3)).tolist()  # six tests, and none below 1/4
    assert ap["p_randomisation"][0][0] == 1.0
    lines = harness("compare", "bad", "good", "other", "--task", "small", "--measure", "RR")[1].splitlines()
    assert [line.split()[:2] for line in lines[2:]] == [["1", "other"], ["2", "good"], ["3", "bad"]]
    assert "3 tests" in lines[0]


def test_compare_needs_two_methods_with_a_measure_in_common(harness, stored: None) -> None:
    put("odd", 0, {"P@1": (0.0, 0.0, 0.0)}, "4")
    put("even", 0, {"RR": (0.0, 0.0, 0.0)}, "5")
    for words, expected in {("good",): "two methods", ("odd", "even"): "no measure in common"}.items():
        status, out, err = harness("compare", *words, "--task", "small")
        assert (status, out) == (2, "")
        assert expected in err


def test_compare_takes_ids_and_measures(harness, stored: None) -> None:
    words = ["compare", "1" * 16, "bad", "--task", "small", "--measure", "P@1", "--format", "json"]
    found = json.loads(harness(*words)[1])
    assert found["a"]["evaluations"] == ["1" * 16]
    assert found["measures"]["P@1"]["difference"] == pytest.approx(1 / 3)


def test_compare_refuses_what_cannot_be_compared(harness, stored: None) -> None:
    other = replace(EVALUATION.task, fingerprint="0" * 64)
    put("changed", 0, {"RR": (1.0, 1.0, 1.0), "AP": (1.0, 1.0, 1.0)}, "4", task=other)
    put("bad", 1, {"RR": (1.0, 1.0, 1.0), "AP": (1.0, 1.0, 1.0)}, "5", config_digest="another")
    put("new", 0, {"RR": (1.0, 1.0, 1.0)}, "6")
    for words, expected in {
        ("good", "changed"): "different content",
        ("good", "bad"): "more than their seed",
        ("good", "none"): "'none'",
        ("good", "new", "--measure", "AP"): "no measure 'AP'",
        ("good", "new", "--split", "dev"): "(dev)",
        ("good", "7777"): "7777",
    }.items():
        status, out, err = harness("compare", *words, "--task", "small")
        assert (status, out) == (2, ""), words
        assert expected in err
    assert "1" * 16 not in harness("compare", "good", "bad", "--task", "small")[2]
    assert harness("compare", "good", "3333333", "--task", "small")[0] == 0
