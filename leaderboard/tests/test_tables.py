import csv
import io
import json
from datetime import date
from pathlib import Path
from types import ModuleType

import click
import harness_leaderboard
import pytest
from click.testing import CliRunner, Result
from harness_leaderboard.numbers import measure, percent
from harness_leaderboard.pages import build
from harness_leaderboard.tables import as_csv, as_json, as_markdown, table_of

from harness.errors import ConfigError
from harness.store import open_store
from harness.store.records import Evaluation


@pytest.fixture
def evaluations(factory: ModuleType, closed: ModuleType) -> list[Evaluation]:
    return closed.suite(factory)


def command(*words: str) -> Result:
    cli = click.Group()
    harness_leaderboard.harness_commands(cli)
    return CliRunner().invoke(cli, ["leaderboard", "table", *words])


def test_all_formats_hold_the_same_numbers(evaluations: list[Evaluation]):
    table = table_of(evaluations, "closed-tiny")
    rows = json.loads(as_json(table))["rows"]
    lines = list(csv.DictReader(io.StringIO(as_csv(table))))
    shown = [[cell.strip() for cell in line.split("|")[1:-1]] for line in as_markdown(table).splitlines()[2:7]]
    for row, line, cells in zip(rows, lines, shown, strict=True):
        assert row["method"] == line["method"] == cells[0]
        assert line["mean"] == ("" if row["mean"] is None else repr(row["mean"]))
        assert cells[2].split(" ± ")[0] == ("–" if row["mean"] is None else measure(row["mean"]))
        assert cells[4] == ("–" if row["gap_share"] is None else percent(row["gap_share"]))
        for name, task in row["tasks"].items():
            assert line[f"p:{name}"] == ("" if task["p"] is None else repr(task["p"]))
            assert line[f"mean:{name}"] == ("" if task["value"] is None else repr(task["value"]))


def test_markdown_shows_what_the_page_shows(evaluations: list[Evaluation]):
    text = as_markdown(table_of(evaluations, "closed-tiny"))
    heads, _, _, method, *_ = text.splitlines()
    assert heads.startswith(
        "| method | role | nDCG@10 | seeds | gap closed | one | two | training (s) | training steps |"
    )
    assert "| margin-mse | method | 0.5100 ± 0.0000 | 3 | 50.0 % | 0.4200 ± 0.0000, p 0.0039 better |" in method
    assert text.endswith("- lead: two seed 2: failed\n")


def test_the_site_has_the_same_files(evaluations: list[Evaluation], closed_site: dict[str, bytes]):
    table = table_of(evaluations, "closed-tiny")
    assert closed_site["data/suites/closed-tiny.json"].decode() == as_json(table)
    assert closed_site["data/suites/closed-tiny.csv"].decode() == as_csv(table)


def test_the_command_prints_the_table_of_a_store(evaluations: list[Evaluation], tmp_path: Path):
    url = str(tmp_path / "lab.db")
    store = open_store(url)
    for evaluation in evaluations:
        store.put(evaluation)
    table = table_of(evaluations, "closed-tiny")
    for words, text in (([], as_markdown(table)), (["--format", "csv"], as_csv(table))):
        found = command("closed-tiny", "--store", url, *words)
        assert (found.exit_code, found.output) == (0, text)


def test_an_unknown_suite_is_refused_with_those_that_are_there(evaluations: list[Evaluation]):
    with pytest.raises(ConfigError, match="closed-tiny"):
        table_of(evaluations, "closed-huge")


def test_foreign_text_makes_no_markdown(factory: ModuleType):
    name = "a|b\n<img src=x> [l](javascript:x) `c`"
    found = factory.evaluation(of=factory.method(name), division="closed", suite="s")
    lines = as_markdown(table_of([found], "s")).splitlines()
    assert len(lines) == 3
    assert lines[2].startswith(r"| a\|b \<img src=x\> \[l\](javascript:x) \`c\` | method |")


def test_two_splits_of_a_task_are_told_apart(factory: ModuleType):
    tasks = [factory.task("one", split=split) for split in ("dev", "test")]
    found = [factory.evaluation(on=on, division="closed", suite="s") for on in tasks]
    assert json.loads(as_json(table_of(found, "s")))["tasks"] == ["one dev", "one test"]


def test_suites_with_names_that_clash_get_pages_of_their_own(factory: ModuleType):
    found = [factory.evaluation(division="closed", suite=name) for name in ("a b", "a-b")]
    site = dict(build(found, date(2026, 3, 2), "Clash"))
    assert {path for path in site if path.startswith("suites/")} == {"suites/a-b.html", "suites/a-b-2.html"}
    assert sum(path.startswith("data/suites/") for path in site) == 4
