import subprocess
import sys
from datetime import date
from pathlib import Path
from types import ModuleType

import click
import harness_leaderboard
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
    assert written == build(factory.small(), date(2026, 3, 2), "A small board")


def test_the_default_store_is_that_of_the_harness_and_may_be_empty(tmp_path: Path):
    assert command("build", str(tmp_path / "site")).exit_code == 0
    assert "no evaluation yet" in (tmp_path / "site" / "index.html").read_text()


def test_a_wrong_date_is_refused(tmp_path: Path):
    assert command("build", str(tmp_path / "site"), "--date", "yesterday").exit_code == 2
    assert not (tmp_path / "site").exists()


def test_the_plugin_and_its_help_import_nothing_heavy():
    code = (
        "import click, sys, harness_leaderboard; harness_leaderboard.harness_commands(click.Group());"
        "print({'numpy', 'jinja2', 'sqlalchemy', 'pyarrow', 'torch'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "set()"
