"""Nothing that names a person or machine, and no key, gets into a store, a bundle, an export or a site."""

import gzip
import json
import os
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.config import use
from harness.errors import ConfigError, StoreError
from harness.plugins import registry
from harness.runner.scrub import scrubbed
from harness.store import open_store

KEYS = {
    "HF_TOKEN": "hf_PlantedTokenOfTheHub",
    "OPENAI_API_KEY": "sk-planted-key-of-the-endpoint",
    "AWS_SECRET_ACCESS_KEY": "Planted/Secret+OfTheCloud",
    "PGPASSWORD": "planted-password-of-the-database",
}
USER = "planteduser"
MACHINE = "plantedmachine"
NAMED = f"""
import os, platform, socket
fields = [*os.uname()]
fields[1] = {MACHINE!r}
os.uname = lambda: os.uname_result(fields)
platform.node = socket.gethostname = lambda: {MACHINE!r}
"""
"""Run at the start of every process: the machine has a name that can't be mistaken."""


@pytest.fixture
def left(lab, tmp_path, monkeypatch) -> Path:
    """A folder with all that is left or given away of two evaluations, one of which failed and told everything."""
    place = tmp_path / "planted-home"
    place.mkdir()
    for name, value in (KEYS | {"HOME": str(place), "USER": USER, "LOGNAME": USER}).items():
        monkeypatch.setenv(name, value)
    (tmp_path / "data").rename(place / "data")
    (tmp_path / "start").mkdir()
    (tmp_path / "start" / "sitecustomize.py").write_text(NAMED)
    lab.folder, lab.toys = place, Path(f"{lab.toys}{os.pathsep}{tmp_path / 'start'}")
    given = ["--plugin", "toy", "--task", "small"]
    lab.harness("run", *given)
    lab.harness("run", *given, "-o", "fault=tell", status=1)
    out = place / "out"
    out.mkdir()
    done, failed = sorted(lab.results(), key=lambda row: row["state"])
    assert (done["state"], failed["state"]) == ("done", "failed")
    lab.harness("results", "export", str(out / "all.gz"))
    lab.harness("results", "bundle", str(out / "lab.bundle"))
    files = {name: str(out / f"one.{name}") for name in ("trec", "json", "per-query")}
    lab.harness("results", "export", done["id"], *(word for name in files for word in (f"--{name}", files[name])))
    lab.harness("results", "export", failed["id"], "--json", str(out / "failed.json"))
    lab.harness("leaderboard", "build", str(out / "site"), "--title", "Board")
    return place


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file's bytes, what is packed in them too, and every value of the database."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, content = str(path.relative_to(folder)), path.read_bytes()
        yield name, content
        if path.suffix == ".gz":
            yield f"{name} unpacked", gzip.decompress(content)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    yield f"{name}/{member}", unpacked(archive.read(member))
        if path.suffix == ".db":
            yield f"{name} by value", b"\n".join(map(unpacked, values(path)))


def values(file: Path) -> Iterator[bytes]:
    with sqlite3.connect(file) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):
                yield from (value if isinstance(value, bytes) else str(value).encode() for value in row)


def unpacked(content: bytes) -> bytes:
    """The content, unpacked if it is packed in a way that the store uses."""
    for unpack in (gzip.decompress, zlib.decompress):
        try:
            return unpack(content)
        except (OSError, EOFError, zlib.error):
            continue
    return content


def found(folder: Path, secret: str) -> list[str]:
    """Where a secret stands, as it is or as JSON, a page or an address writes it."""
    forms = {secret, json.dumps(secret)[1:-1], secret.replace("/", "\\/"), secret.replace("/", "%2F")}
    return [name for name, content in contents(folder) if any(form.encode() in content for form in forms)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # the file is searched
def test_nothing_secret_is_left_or_given_away(left):
    given = {name: content for name, content in contents(left / "out")}
    assert {"lab.bundle/results.jsonl.gz", "all.gz unpacked", "failed.json", "site/index.html"} <= set(given)
    assert b"RuntimeError" in given["failed.json"], "the failure itself is told"
    for secret in (*KEYS.values(), str(left), "planted-home", USER, MACHINE):
        assert found(left / "out", secret) == [], secret
        assert found(left / "home", secret) == [], secret


def test_a_search_finds_what_is_there(tmp_path):
    """The test above can fail: what is planted in each kind of file is found."""
    out = tmp_path / "out"
    out.mkdir()
    for name, write in {
        "plain.html": lambda path: path.write_text(f"<p>{USER}</p>"),
        "packed.gz": lambda path: path.write_bytes(gzip.compress(USER.encode())),
        "x.db": lambda path: _database(path, zlib.compress(USER.encode())),
    }.items():
        write(out / name)
        assert [place for place in found(out, USER) if place.startswith(name)], name


def _database(path: Path, value: bytes) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (x BLOB)")
        database.execute("INSERT INTO t VALUES (?)", (value,))


def test_a_key_is_no_option(lab):
    known = registry()
    address = "endpoint:https://me:sk-planted@host/v1#m"
    for option, value in (("model", address), ("key_variable", "sk-planted"), ("key_variable", "hf_planted")):
        with pytest.raises(ConfigError) as refused:
            use(known, ("teacher",), "rankgpt", {option: value})
        assert "planted" not in str(refused.value)
    assert use(known, ("teacher",), "rankgpt", {"key_variable": "MY_KEY"}).config.key_variable == "MY_KEY"


def test_the_stores_password_is_in_no_message():
    with pytest.raises(StoreError) as refused:
        open_store("postgresql://me:planted@127.0.0.1:1/x").evaluations()
    assert "planted" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no file /planted/home/me/x.txt", "no file …/x.txt"),
        ("in /planted/home", "in ~"),
        ("https://me:word@host/v1 refused", "https://…@host/v1 refused"),
        ("key sk-123456 is wrong", "key … is wrong"),
        ("planteduser on it; unplantedusers stay", "… on it; unplantedusers stay"),
        ("a value of 1/2 at step 3", "a value of 1/2 at step 3"),
    ],
)
def test_what_is_scrubbed(text, shown, monkeypatch):
    for name, value in {"HOME": "/planted/home", "LOGNAME": USER, "MY_API_KEY": "sk-123456"}.items():
        monkeypatch.setenv(name, value)
    assert scrubbed(text) == shown
