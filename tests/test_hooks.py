"""Every hook is documented and tested: one plugin implements them all, and is installed and used."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness import hookspecs
from harness.testing.installed import install
from tests.conftest import PATIENCE

HOOKS = [name for name in vars(hookspecs) if name.startswith("harness_")]

PLUGIN = '''"""Implements every hook."""
import os
from pathlib import Path
from harness import Card, hookimpl

def card(kind, name, **more):
    return [Card(name=name, kind=kind, summary="All hooks.", method=f"harness_all.method:{kind}", **more)]

@hookimpl
def harness_retrievers():
    return card("retriever", "all")

@hookimpl
def harness_teachers():
    return card("teacher", "all-teacher", gives=("score",))

@hookimpl
def harness_distillers():
    return card("distiller", "all-distil", needs=("score",))

@hookimpl
def harness_tasks():
    return card("task", "all-task")

@hookimpl
def harness_suites():
    return {"all-suite": str(Path(__file__).with_name("suite.toml"))}

@hookimpl
def harness_measures():
    def length(run, qrels, corpus):
        return (run.rows >= 0).sum(axis=1)
    return {"Length": length}

@hookimpl
def harness_commands(cli):
    import click
    cli.add_command(click.Command("all-say", callback=lambda: print("said")))

def note(event, evaluation, error=""):
    with open(os.environ["EVENTS"], "a") as file:
        print(event, evaluation["method"], evaluation["task"], evaluation["seed"], evaluation["id"], error, file=file)

@hookimpl
def harness_evaluation_started(evaluation):
    note("started", evaluation)

@hookimpl
def harness_evaluation_finished(evaluation):
    assert evaluation["measures"]["nDCG@10"] >= 0
    assert evaluation["cost"]["search_seconds"] > 0
    note("finished", evaluation)

@hookimpl
def harness_evaluation_failed(evaluation, error):
    note("failed", evaluation, error)
'''

METHOD = """
import os
import numpy as np
from harness.records import Run
from harness.scoring.order import topk
from harness.testing.tiny import tiny_task

class retriever:
    def __init__(self, config, context):
        pass
    def index(self, corpus):
        if os.environ.get("FAIL"):
            raise RuntimeError("planted")
        self.docs, self.ranks = [set(t.split()) for t in corpus.contents()], np.asarray(corpus.id_rank)
    def search(self, queries, k):
        scores = np.zeros((len(queries), len(self.docs)), np.float32)
        for row, query in enumerate(queries):
            scores[row] = [len(set(query.text.split()) & doc) for doc in self.docs]
        rows, best = topk(scores, k, self.ranks)
        return Run(query_ids=tuple(q.id for q in queries), rows=rows, scores=best)
    def save(self, folder):
        (folder / "nothing").touch()
    def load(self, folder, corpus):
        self.index(corpus)

def task(config, context):
    return tiny_task(context.folder, name="all-task")
"""

SUITE = 'name = "all-suite"\ntitle = "All"\ntasks = ["all-task"]\nseeds = [7]\n'


class Lab:
    """The command line with the plugin installed, and what the plugin noted."""

    def __init__(self, folder):
        self.events, self.folder = folder / "events", folder
        install(folder / "site", "all", PLUGIN, method=METHOD)
        (folder / "site" / "harness_all" / "suite.toml").write_text(SUITE)
        self.events.touch()

    def harness(self, *words, status=0, **variables):
        paths = {"PYTHONPATH": str(self.folder / "site"), "HARNESS_HOME": str(self.folder / "home")}
        env = os.environ | paths | {"EVENTS": str(self.events), **variables}
        command = [sys.executable, "-m", "harness.cli.main", *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def noted(self):
        return [line.split() for line in self.events.read_text().splitlines()]


EVALUATE = "run", "--plugin", "all", "--suite", "all-suite"


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """One evaluation, which several hooks take part in."""
    lab = Lab(tmp_path_factory.mktemp("evaluated"))
    lab.harness(*EVALUATE)
    return lab


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_is_documented(hook):
    text = (Path(__file__).parent.parent / "docs" / "hooks.md").read_text()
    (entry,) = re.findall(rf"^## {hook}\((.*?)\)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    names = getattr(hookspecs, hook).__code__.co_varnames
    assert [word.strip() for word in entry[0].split(",") if word] == list(names)
    assert f"def {hook}(" in entry[1], "an example that can be copied"


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_is_tested(hook):
    assert f"test_{hook}" in globals()
    assert f"def {hook}(" in PLUGIN


def test_nothing_else_is_documented_as_a_hook():
    text = (Path(__file__).parent.parent / "docs" / "hooks.md").read_text()
    assert re.findall(r"^## (harness_\w+)", text, re.MULTILINE) == HOOKS


def listed(lab, kind):
    rows = json.loads(lab.harness("plugins", "list", "--kind", kind, "--format", "json"))
    return [row["name"] for row in rows if row["distribution"] == "harness-all"]


def test_harness_retrievers(lab):
    assert listed(lab, "retriever") == ["all"]


def test_harness_teachers(lab):
    assert listed(lab, "teacher") == ["all-teacher"]


def test_harness_distillers(lab):
    assert listed(lab, "distiller") == ["all-distil"]


def test_harness_tasks(lab):
    assert listed(lab, "task") == ["all-task"]
    assert "8" in lab.harness("tasks", "show", "all-task", "--split", "test")


def test_harness_suites(evaluated):
    assert {tuple(words[1:4]) for words in evaluated.noted()} == {("all", "all-task", "7")}


def test_harness_measures(evaluated):
    (row,) = json.loads(evaluated.harness("results", "list", "--format", "json"))
    assert row["measures"]["Length"] == 40  # the tiny collection has forty documents, and all are ranked


def test_harness_commands(lab):
    assert lab.harness("all-say") == "said\n"
    assert "all-say" in lab.harness("--help")


def test_harness_evaluation_started(evaluated):
    (started, _) = evaluated.noted()
    assert started[:4] == ["started", "all", "all-task", "7"]


def test_harness_evaluation_finished(evaluated):
    (started, finished) = evaluated.noted()
    assert finished[:4] == ["finished", "all", "all-task", "7"]
    assert finished[4] == started[4]
    evaluated.harness(*EVALUATE)
    assert len(evaluated.noted()) == 2  # what is done before is no event


def test_harness_evaluation_failed(lab):
    lab.harness(*EVALUATE, status=1, FAIL="1")
    (started, failed) = lab.noted()
    assert failed[:4] == ["failed", "all", "all-task", "7"]
    assert failed[4] == started[4]
    assert "planted" in " ".join(failed[5:])
