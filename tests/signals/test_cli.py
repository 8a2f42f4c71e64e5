"""`harness signals`: every command on a small store with features, and elsewhere after an export."""

import json

import pytest
from click.testing import CliRunner

from harness.cli.signals import signals
from harness.errors import SignalError
from harness.records import Document, Query
from harness.signals.teacher import remember


def run(*words):
    result = CliRunner().invoke(signals, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def listed():
    return {row["name"].partition("/")[2]: row for row in json.loads(run("list", "--format", "json"))}


@pytest.fixture
def taught(counting, make_pairs):
    """The teacher whose signals are in this test's own home."""
    teacher = counting()
    teacher.scores_depend_on_list = True
    ours = remember(teacher, {"plugin": "toy"})
    ours.features(make_pairs(2, 5))
    ours.score(make_pairs(3, 4))
    teacher.scores_depend_on_list = False
    ours.score(make_pairs(3, 4))
    ours.order(Query(id="q", text="x"), [Document(id="1", text="y")])
    return teacher


def test_list_shows_every_kind(taught):
    facts = {kind: (row["plugin"], row["signals"], row["calls"], row["imported"]) for kind, row in listed().items()}
    assert facts == {
        "features": ("toy", 10, 10, 0),
        "score-lists": ("toy", 3, 12, 0),
        "score": ("toy", 12, 12, 0),
        "order": ("toy", 1, 1, 0),
    }
    assert "features" in run("list")


def test_show_one_kind_whose_name_begins_another(taught):
    name = listed()["score"]["name"]
    shown = json.loads(run("show", name))
    assert (shown["kind"], shown["signals"], shown["teacher"]) == ("score", 12, "toy@1")
    assert [file["calls"] for file in shown["files"]] == [12]
    assert json.loads(run("show", listed()["features"]["name"][:-3]))["kind"] == "features"
    with pytest.raises(SignalError, match="expected one of"):
        run("show", name.partition("/")[0])


def test_export_and_import(taught, counting, make_pairs, tmp_path, monkeypatch):
    file = tmp_path / "x.zip"
    assert run("export", file, "--only", listed()["features"]["name"]).startswith("1 shards")
    assert run("export", file).startswith("5 shards")
    monkeypatch.setenv("HARNESS_HOME", str(tmp_path / "elsewhere"))
    assert listed() == {}
    assert run("import", file).startswith("5 shards")
    assert {kind: row["imported"] for kind, row in listed().items()} == {
        "features": 1, "score-lists": 2, "score": 1, "order": 1
    }  # fmt: skip
    assert run("verify").startswith("5 shards")
    teacher = counting()
    remember(teacher, {}).features(make_pairs(2, 5))
    assert teacher.asked == []


def test_verify_names_the_damaged_file(taught, own_home):
    shard = next(own_home.rglob("features/*.parquet"))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with pytest.raises(SignalError, match=shard.name):
        run("verify")
    with pytest.raises(SignalError, match=shard.name):
        run("export", own_home / "x.zip")
