"""`harness tasks list` and `harness tasks show`."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli.tasks import tasks
from harness.errors import DataError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data" / "mine"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "d1", "text": "x"}\n{"_id": "d2", "text": "y"}\n')
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "x"}\n{"_id": "q2", "text": "y"}\n')
    (folder / "qrels" / "test.tsv").write_text("q1\td1\t1\nq1\td2\t0\nq2\td1\t0\n")
    (folder / "qrels" / "train.tsv").write_text("q2\td2\t1\n")
    (folder / "SOURCE.md").write_text("# Mine\n\nLicence: CC0\nLanguages: en\n")
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    return folder


def run(*words: str) -> str:
    result = CliRunner().invoke(tasks, words, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def shown(*words: str) -> dict[str, Any]:
    return json.loads(run("show", *words, "--format", "json"))


def test_show_counts_every_split():
    facts = shown("mine")
    assert facts["documents"] == 2
    assert (facts["licence"], facts["languages"], facts["measures"][0]) == ("CC0", ["en"], "nDCG@10")
    counts = [
        [row[key] for key in ("split", "queries", "judgements", "dropped", "candidates")] for row in facts["splits"]
    ]
    assert counts == [["train", 1, 1, 0, None], ["test", 1, 2, 1, None]]
    assert len({row["fingerprint"] for row in facts["splits"]}) == 2


def test_show_reads_only_the_split_asked_for(folder: Path):
    (folder / "qrels" / "train.tsv").write_text("damaged\n")
    assert [row["split"] for row in shown("mine", "--split", "test")["splits"]] == ["test"]
    with pytest.raises(DataError, match=r"train\.tsv:1"):
        run("show", "mine")


def test_the_table_has_what_the_json_has():
    table = run("show", "mine")
    for text in ("CC0", "nDCG@10", "train", shown("mine")["splits"][1]["fingerprint"][:16]):
        assert text in table


def test_list_names_tasks_and_reads_none_of_them(folder: Path, own_home: Path):
    (folder / "corpus.jsonl").write_text("damaged\n")
    listed = {row["name"]: row for row in json.loads(run("list", "--format", "json"))}
    assert listed["mine"] == {"name": "mine", "source": "HARNESS_DATA", "splits": ["train", "test"], "summary": "Mine"}
    assert "mine" in run("list")
    assert not own_home.exists()
