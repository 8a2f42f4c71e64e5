"""`harness run --isolate`: a method that needs an old bm25s, beside a harness that has a new one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "harness-old-bm25s"
version = "1.0"
dependencies = ["bm25s==0.2.0", "retrieval-harness"]

[project.entry-points.harness]
old-bm25s = "harness_old_bm25s"
"""
CARD = '''
"""A method of another time."""
from harness import Card, hookimpl


@hookimpl
def harness_retrievers():
    """The card."""
    method = "harness_old_bm25s.method:Old"
    return [Card(name="old-bm25s", kind="retriever", summary="Needs bm25s 0.2.", method=method)]
'''
METHOD = """
import bm25s
import numpy as np

from harness.records import Run

if not bm25s.__version__.startswith("0.2."):
    raise ImportError(f"bm25s 0.2 is needed, this is {bm25s.__version__}")


class Old:
    def __init__(self, config, context):
        pass

    def index(self, corpus):
        self.size = len(corpus)

    def search(self, queries, k):
        rows = np.tile(np.arange(k, dtype=np.int32), (len(queries), 1))
        scores = np.tile(np.arange(k, 0, -1, dtype=np.float32), (len(queries), 1))
        return Run(query_ids=tuple(query.id for query in queries), rows=rows, scores=scores)

    def save(self, folder):
        (folder / "size").write_text(str(self.size))

    def load(self, folder, corpus):
        self.size = len(corpus)
"""
WORDS = ["run", "--plugin", "old-bm25s", "--task", "small"]


@pytest.fixture(scope="module")
def plugin(tmp_path_factory) -> Path:
    """A folder of installed packages that has the plugin and none of what it needs."""
    source, site = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    package = source / "harness_old_bm25s"
    package.mkdir()
    (source / "pyproject.toml").write_text(PROJECT)
    (package / "__init__.py").write_text(CARD)
    (package / "method.py").write_text(METHOD)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--target", str(site), str(source)], check=True, capture_output=True)
    return site


@pytest.fixture(scope="module")
def index_is_reached(tmp_path_factory) -> None:
    """Skip where pip can't download anything."""
    words = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "-d",
        str(tmp_path_factory.mktemp("d")),
        "pluggy",
    ]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("pip reaches no index here, so that no environment can be made")


def test_what_clashes_here_runs_in_an_environment_of_its_own(lab, plugin, index_is_reached):
    lab.toys = plugin
    assert "bm25s 0.2 is needed" in lab.harness(*WORDS, status=1)
    assert "1 done" in lab.harness(*WORDS, "--isolate")
    (row,) = [json.loads(lab.harness("results", "show", row["id"], "--format", "json")) for row in lab.results()]
    assert row["state"] == "done"
    assert row["environment"]["packages"]["bm25s"] == "0.2.0"
    assert row["command"].split("--plugin")[1].startswith(" old-bm25s --isolate")
    assert "0 done, 1 done before" in lab.harness(*WORDS, "--isolate")  # the environment is there
    found = json.loads(lab.harness("reproduce", row["id"], "--format", "json"))
    assert (found["verdict"], found["changed"]) == ("equal", [])


def test_an_environment_that_cannot_be_made_is_told_and_nothing_is_left(lab, plugin, index_is_reached, monkeypatch):
    import shutil

    lab.toys = shutil.copytree(plugin, lab.folder / "site")
    (note,) = lab.toys.glob("*.dist-info/direct_url.json")
    note.unlink()  # then it is asked for by version, and nobody has it
    said = lab.harness(*WORDS, "--isolate", status=2)
    assert "no environment could be made" in said
    assert "harness-old-bm25s==1.0" in said
    assert lab.results() == []


def test_what_is_installed_is_asked_for_as_it_is_here():
    from importlib.metadata import version

    from harness.runner.isolation import as_here

    assert as_here("click") == f"click=={version('click')}"
    ours = as_here("retrieval-harness", "[postgresql]")
    assert ours.endswith("[postgresql]") or ours.startswith("retrieval-harness[postgresql]==")
