"""Names and options that want to be SQL, shell or a path are text: nothing is made outside the home, no table goes."""

import json
import sqlite3
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.store import open_store

HOSTILE = [
    "'; DROP TABLE evaluations; --",
    '"; DROP TABLE evaluations; --',
    "x' OR '1'='1",
    "$(touch touched)",
    "`touch touched`",
    "; touch touched",
    "| touch touched",
    "../../touched",
    "../" * 12 + "tmp/touched",
    "{outside}/touched",
    "~/touched",
    "~nobodyhere/touched",
    "a\nb",
    "a\0b",
    "\udcff",
    "%s%n{0}{x}",
    "-rf",
    "",
    " ",
    "x" * 100_000,
]
TABLES = {"evaluations", "measures", "artefacts", "methods", "tasks", "environments", "devices", "leases"}

COMMANDS = {
    "plugin": ["run", "--task", "tiny", "--plugin", "{}"],
    "option": ["run", "--task", "tiny", "--plugin", "bm25", "--dry-run", "-o", "stemmer={}"],
    "option name": ["run", "--task", "tiny", "--plugin", "bm25", "--dry-run", "-o", "{}=1"],
    "checkpoint": ["run", "--task", "tiny", "--plugin", "dense", "--dry-run", "-o", "model={}"],
    "lesson": ["run", "--task", "tiny", "--plugin", "dense", "--dry-run", "-o", "model=trained:{}"],
    "task": ["run", "--plugin", "bm25", "--dry-run", "--task", "{}"],
    "folder": ["tasks", "show", "beir:{}"],
    "split": ["run", "--task", "tiny", "--plugin", "bm25", "--dry-run", "--split", "{}"],
    "suite": ["run", "--plugin", "bm25", "--dry-run", "--suite", "{}"],
    "device": ["run", "--task", "tiny", "--plugin", "bm25", "--device", "{}"],
    "registered": ["devices", "register", "nonesuch", "--name", "{}"],
    "removed": ["devices", "remove", "{}"],
    "evaluation": ["results", "show", "{}"],
    "removal": ["results", "remove", "--yes", "{}"],
    "reproduction": ["reproduce", "{}"],
    "listed": ["results", "list", "--method", "{}", "--task", "{}"],
    "compared": ["compare", "{}", "bm25"],
    "method": ["results", "import-run", "{run}", "--task", "tiny", "--name", "{}"],
    "address": ["results", "import-run", "{run}", "--task", "tiny", "--name", "theirs", "--url", "{}"],
    "signals": ["signals", "show", "{}"],
    "budget": ["run", "--task", "tiny", "--plugin", "margin-mse", "--dry-run", "--budget", "steps={}"],
    "measure": ["score", "--run", "{run}", "--task", "tiny", "--measure", "{}"],
    "command": ["{}"],
}


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where nothing may be made: this folder but for its home, with the data that the commands are given."""
    folder = tmp_path / "outside"
    data = folder / "data" / "tiny"
    (data / "qrels").mkdir(parents=True)
    (data / "corpus.jsonl").write_text("".join(json.dumps({"_id": f"d{n}", "text": f"t {n}"}) + "\n" for n in range(3)))
    (data / "queries.jsonl").write_text(json.dumps({"_id": "q1", "text": "t"}) + "\n")
    (data / "qrels" / "test.tsv").write_text("q1\td1\t1\n")
    (folder / "run.trec").write_text("q1 Q0 d1 1 1.5 them\n")
    (folder / "deep" / "deeper").mkdir(parents=True)
    monkeypatch.chdir(folder / "deep" / "deeper")
    for name, value in {"HARNESS_HOME": "home", "HARNESS_DATA": "data", "HOME": ""}.items():
        monkeypatch.setenv(name, str(folder / value))
    monkeypatch.delenv("HARNESS_STORE", raising=False)
    open_store().database.engine.dispose()
    return folder


def around(folder: Path) -> list[str]:
    """All that is there beside the home."""
    paths = [*folder.rglob("*"), *Path("/tmp").glob("touched*")]
    return sorted(str(path) for path in paths if folder / "home" not in path.parents)


def tables(folder: Path) -> set[str]:
    with sqlite3.connect(folder / "home" / "harness.db") as database:
        return {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_hostile_words(words, outside, capsys):
    before = around(outside)
    for hostile in HOSTILE:
        value = hostile.replace("{outside}", str(outside))
        given = [word.replace("{run}", str(outside / "run.trec")).replace("{}", value) for word in words]
        with pytest.raises(SystemExit) as ended:
            main(given)
        out, err = capsys.readouterr()
        assert ended.value.code in (0, 1, 2), given
        said = err.strip()  # a progress display ends its line first
        assert ended.value.code != 2 or (said.startswith("harness: error: ") and "\n" not in said), (given, err)
        assert len(err) < 3000, given
        assert "\0" not in out + err
        assert around(outside) == before, given
        assert tables(outside) >= TABLES, given
