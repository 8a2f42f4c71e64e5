import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import ModuleType

import click
import harness_leaderboard
import pytest
from click.testing import CliRunner, Result
from harness_leaderboard.pages import build
from harness_leaderboard.site import MARKER

from harness.store import open_store


def command(*words: str) -> Result:
    cli = click.Group()
    harness_leaderboard.harness_commands(cli)
    return CliRunner().invoke(cli, ["leaderboard", *words])


def test_the_site_of_a_store_is_the_site_of_its_evaluations(factory: ModuleType, tmp_path: Path):
    url = str(tmp_path / "lab.db")
    store = open_store(url)
    for evaluation in factory.small():
        store.put(evaluation)
    done = command("build", str(tmp_path / "site"), "--store", url, "--date", "2026-03-02", "--title", "A small board")
    assert done.exit_code == 0, done.output
    written = {
        path.relative_to(tmp_path / "site").as_posix(): path.read_bytes()
        for path in (tmp_path / "site").rglob("*")
        if path.is_file() and path.name != MARKER
    }
    assert written == dict(build(factory.small(), date(2026, 3, 2), "A small board"))


def test_the_default_store_is_that_of_the_harness_and_may_be_empty(tmp_path: Path):
    assert command("build", str(tmp_path / "site")).exit_code == 0
    assert "no evaluation yet" in (tmp_path / "site" / "index.html").read_text()


def test_a_wrong_date_is_refused(tmp_path: Path):
    assert command("build", str(tmp_path / "site"), "--date", "yesterday").exit_code == 2
    assert not (tmp_path / "site").exists()


def test_the_plugin_and_its_help_import_nothing_heavy():
    code = (
        "import click, sys, harness_leaderboard; harness_leaderboard.harness_commands(click.Group());"
        "print({'altair', 'numpy', 'jinja2', 'sqlalchemy', 'pyarrow', 'torch'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "set()"


def test_the_configuration_is_read_where_it_is_named_and_only_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = tmp_path / "leaderboard.toml"
    config.write_text('title = "Lab board"\ndescription = "Ours."')
    monkeypatch.chdir(tmp_path)
    assert command("build", "plain").exit_code == 0
    assert command("build", "named", "--config", "leaderboard.toml").exit_code == 0
    assert command("build", "both", "--config", "leaderboard.toml", "--title", "Another").exit_code == 0
    heads = [
        re.search("<h1>(.*?)</h1>", (tmp_path / name / "index.html").read_text())[1]
        for name in ("plain", "named", "both")
    ]
    assert heads == ["Retrieval leaderboard", "Lab board", "Another"]


def test_a_mistake_in_the_configuration_builds_nothing(tmp_path: Path):
    config = tmp_path / "leaderboard.toml"
    config.write_text('titel = "Lab board"')
    done = command("build", str(tmp_path / "site"), "--config", str(config))
    assert "did you mean 'title'" in str(done.exception)
    assert not (tmp_path / "site").exists()


def states(folder: Path) -> dict[str, tuple[int, int]]:
    """Which file it is and when it was written, of each."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MARKER)
    return {path.relative_to(folder).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def test_the_order_in_which_a_store_was_filled_changes_no_byte(factory: ModuleType, tmp_path: Path):
    sites: list[dict[str, bytes]] = []
    for number, order in enumerate((1, -1)):
        store = open_store(str(tmp_path / f"{number}.db"))
        for evaluation in factory.small()[::order]:
            store.put(evaluation)
        sites.append(dict(build(store.listed(), date(2026, 3, 2), "A small board")))
    assert sites[0] == sites[1]


def test_a_build_after_one_more_evaluation_rewrites_only_what_it_changes(factory: ModuleType, tmp_path: Path):
    url, site = str(tmp_path / "lab.db"), tmp_path / "site"
    tasks = [factory.task(name, queries=12) for name in ("one", "two")]
    methods = [{"record": factory.method(name), "quality": quality} for name, quality in (("a", 0.5), ("b", 0.0))]
    store = open_store(url)
    for evaluation in factory.board(methods, tasks):
        store.put(evaluation)
    words = ("build", str(site), "--store", url, "--date", "2026-03-02")
    assert command(*words).exit_code == 0
    before = states(site)
    again = command(*words)
    assert " 0 of them new or changed" in again.output
    assert states(site) == before
    more = factory.evaluation(of=methods[0]["record"], on=tasks[0], seed=1, values=[0.7] * 12)
    store.put(more)
    assert command(*words).exit_code == 0
    after = states(site)
    changed = {path for path in after if after[path] != before.get(path)}
    assert set(before) <= set(after)
    assert f"data/per_query/{more.id}.js" in changed
    assert {"index.html", "data/evaluations.csv", "data/evaluations.json", "data/tables/open.js"} <= changed
    for kind, kept in (("tasks/two", True), ("methods/b-", True), ("tasks/one", False), ("methods/a-", False)):
        (page,) = [path for path in after if path.startswith(kind)]
        assert (page not in changed) == kept, page
    untouched = {path for path in before if path.startswith(("data/per_query", "data/queries", "static/"))}
    assert not untouched & changed
    assert not {"about.html", "data/schema.json", "data/methods.json", "data/tasks.json"} & changed
