"""Every method that is shipped gives the same numbers to the last bit: in another process, in any order of the plan."""

import json
import re
import shutil
from pathlib import Path

import pytest

from harness.plugins import registry
from harness.store import open_store
from harness.testing.models import tiny_causal_lm
from tests.runner.conftest import Lab, write_collection

TEMPLATE = Path(__file__).with_name("every.toml")
ALONE = {"generator": "is asked by methods that make queries: harness.testing asks it twice under one seed"}
"""Teachers that no method of the suite has, and why."""


@pytest.fixture(scope="module")
def suite(tmp_path_factory, small_splade, models) -> Path:
    folder = tmp_path_factory.mktemp("every")
    causal = tiny_causal_lm(folder / "causal", context=4096)
    data = write_collection(folder / "data" / "few", documents=24, queries=6)
    shutil.copy(data / "qrels" / "test.tsv", data / "qrels" / "train.tsv")
    text = TEMPLATE.read_text().format(
        student=small_splade, tiny=models / "minilm-l3", glove=models / "glove", causal=causal
    )
    for card, _ in ours("distiller"):
        if f'plugin = "{card.name}"' not in text:
            text += f'\n[[methods]]\nplugin = "{card.name}"\n'
    (folder / "every.toml").write_text(text)
    return folder / "every.toml"


def ours(*kinds):
    """The cards of this repository's plugins."""
    here = [source.distribution for source in registry().sources if source.entry_point.module.startswith("harness_")]
    return [(card, source) for kind in kinds for card, source in registry().cards(kind) if source.distribution in here]


def names(suite: Path) -> list[str]:
    """What the suite calls its methods, in order."""
    from harness.suites import load_suite

    return [method.name or method.plugin for method in load_suite(registry(), str(suite)).methods]


def lab_in(folder: Path, suite: Path) -> Lab:
    folder.mkdir()
    (folder / "data").symlink_to(suite.parent / "data")
    return Lab(folder)


def found(lab: Lab) -> dict[str, tuple]:
    """All that must be the same, by id."""
    evaluations = open_store(str(lab.folder / "home" / "harness.db")).evaluations()
    return {
        one.id: (one.method.name, one.state, one.error, one.per_query, [each.sha256 for each in one.artefacts])
        for one in evaluations
    }


def test_the_suite_has_every_plugin(suite):
    words = set(re.findall(r"[\w-]+", suite.read_text()))
    assert {card.name for card, _ in ours("retriever", "distiller", "teacher")} - words == set(ALONE)


def test_same_bits_in_another_process_and_the_other_way_round(suite, tmp_path):
    one, other = lab_in(tmp_path / "one", suite), lab_in(tmp_path / "other", suite)
    assert " 0 failed" in one.harness("run", "--suite", str(suite))
    backwards = [word for name in reversed(names(suite)) for word in ("--plugin", name)]
    assert " 0 failed" in other.harness("run", "--suite", str(suite), *backwards)
    first, second = found(one), found(other)
    assert {row[0] for row in first.values()} >= {card.name for card, _ in ours("distiller")}
    assert {id: row for id, row in first.items() if second.get(id) != row} == {}
    assert first.keys() == second.keys()


def test_one_is_reproduced_alone(suite, tmp_path):
    lab = lab_in(tmp_path / "one", suite)
    assert " 0 failed" in lab.harness("run", "--suite", str(suite), "--plugin", "margin-mse")
    (row,) = [row for row in lab.results() if row["method"] == "margin-mse"]
    assert json.loads(lab.harness("reproduce", row["id"], "--format", "json"))["verdict"] == "equal"
