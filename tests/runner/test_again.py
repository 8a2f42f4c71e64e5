"""`harness reproduce`: equal, within, different, and what has changed since."""

import json
import shutil
from dataclasses import replace

import pytest

from harness.errors import ConfigError
from harness.runner.again import again, compare


def one(lab, *words) -> str:
    lab.harness("run", "--task", "small", *words)
    (row,) = [row for row in lab.results() if row["method"] == words[1]]
    return row["id"]


def test_the_same_code_on_the_same_machine_is_equal(lab):
    id = one(lab, "--plugin", "toy", "-o", "noise=true", "--seed", "5")
    found = json.loads(lab.harness("reproduce", id, "--format", "json"))
    assert (found["verdict"], found["queries"], found["same_run"], found["changed"]) == ("equal", 0, True, [])
    assert found["means"]["nDCG@10"][0] == found["means"]["nDCG@10"][1] > 0
    assert len(lab.results()) == 1  # nothing is stored
    assert not list((lab.folder / "home" / "work").glob("*"))


def test_a_second_stage_comes_after_its_first(lab):
    id = one(lab, "--plugin", "toy-over")
    assert "toy-over on small (test, seed 0): equal" in lab.harness("reproduce", id)


def test_edited_code_that_finds_less_is_different_and_named(lab):
    lab.toys = shutil.copytree(lab.toys, lab.folder / "toys")
    id = one(lab, "--plugin", "toy")
    source = lab.toys / "harness_toy" / "method.py"
    source.write_text(source.read_text().replace("len(q & d)", "-len(q & d)"))
    said = lab.harness("reproduce", id, status=1)
    assert "different" in said
    assert "code of the method" in said
    assert "within" in lab.harness("reproduce", id, "--tolerance", "1")


def test_a_failure_is_told_and_a_failed_one_is_refused(lab):
    id = one(lab, "--plugin", "toy")
    shutil.rmtree(lab.folder / "data" / "small")
    assert "could not be done again" in lab.harness("reproduce", id, status=2)
    lab.harness("run", "--plugin", "toy", "--task", "other", "-o", "fault=raise", status=1)
    (failed,) = [row["id"] for row in lab.results() if row["state"] == "failed"]
    assert "planted" in lab.harness("reproduce", failed, status=2)


@pytest.mark.parametrize(
    ("values", "verdict"), [((1.0, 0.5), "equal"), ((1.0, 0.5001), "within"), ((1.0, 0.6), "different")]
)
def test_verdicts(evaluation, values, verdict):
    now = evaluation(values)
    found = compare(evaluation((1.0, 0.5)), now, 0.0005)
    assert found.verdict == verdict
    assert found.queries == (verdict != "equal")


@pytest.fixture
def evaluation():
    """(values of the two queries) → an evaluation that has them."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from harness.store.records import Artefact, Evaluation, MethodRecord, TaskRecord

    method = MethodRecord(
        implementation="ab", name="toy", kind="retriever", distribution="d", version="1", card={"summary": ""}
    )
    task = TaskRecord(
        fingerprint="f", name="small", split="test", facts={}, query_ids=("a", "b"), query_texts=("x", "y")
    )
    base = Evaluation(
        id="1" * 16,
        state="done",
        method=method,
        config={},
        config_digest="c",
        checkpoints={},
        task=task,
        seed=0,
        device="cpu",
        environment={"packages": {"torch": "2"}},
        harness_version="1",
        command="harness run",
        started=datetime(2026, 1, 1, tzinfo=UTC),
        finished=datetime(2026, 1, 1, tzinfo=UTC),
    )

    def made(values: tuple[float, float]) -> Evaluation:
        run = Artefact(name="run", path="p", sha256=str(values), bytes=1)
        means = {"nDCG@10": sum(values) / 2}
        return replace(base, per_query={"nDCG@10": values}, measures=means, artefacts=(run,))

    return made


@pytest.mark.parametrize(
    "command",
    [
        "harness run --plugin toy --task small --trust-remote-code evil/model",
        "harness results remove --yes abcd",
        "harness run --plugin toy --task small --store /else/where.db",
        "harness run --plugin toy --task",
        "touch x",
        "harness",
        "'",
        "",
    ],
)
def test_a_stored_command_that_does_anything_else_is_not_run(evaluation, tmp_path, command):
    foreign = replace(evaluation((1.0, 0.5)), command=command)
    with pytest.raises(ConfigError, match="it is not run"):
        again(foreign, tmp_path / "folder", [])
