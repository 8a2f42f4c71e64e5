"""`beir:<name>` and `beir:<folder>`; downloads come from a server of this test's own."""

import hashlib
import io
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path

import pytest
from harness_tasks import from_beir
from harness_tasks.beir_sets import FORUMS, SETS

from harness.errors import DataError, TaskNotFound
from harness.plugins import registry
from harness.tasks import open_task

FILES = {
    "corpus.jsonl": '{"_id": "q1", "title": "T", "text": "x"}\n{"_id": "d2", "text": "y"}\n',
    "queries.jsonl": '{"_id": "q1", "text": "x"}\n',
    "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td2\t1\n",
}


def archive(*folders: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as written:
        for folder in folders:
            for name, text in FILES.items():
                written.writestr(f"{folder}/{name}", text)
    return buffer.getvalue()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, bytes], None]]:
    """Puts a file on a server that `beir:` downloads from."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(from_beir, "URL", f"http://127.0.0.1:{server.server_port}")

    def put(name: str, content: bytes) -> None:
        """As the official archive: with the checksum that is expected."""
        (folder / name).write_bytes(content)
        data_set = name.removesuffix(".zip")
        monkeypatch.setitem(SETS, data_set, replace(SETS[data_set], md5=hashlib.md5(content).hexdigest()))

    yield put
    server.shutdown()
    server.server_close()


def test_a_data_set_is_fetched_when_it_is_read_and_only_once(serve: Callable[[str, bytes], None], own_home: Path):
    task = open_task(registry(), "beir:scifact")
    assert (task.facts.splits, task.facts.licence) == (("train", "test"), "CC BY-NC 2.0")  # nothing is fetched yet
    serve("scifact.zip", archive("scifact"))
    task = open_task(registry(), "beir:scifact")
    assert task.facts.revision == ""
    assert list(task.corpus().ids) == ["q1", "d2"]
    assert task.facts.revision == f"md5 {SETS['scifact'].md5}"
    serve("scifact.zip", b"gone")
    assert len(open_task(registry(), "beir:scifact").queries("test")) == 1
    assert [path.name for path in (own_home / "beir").iterdir()] == ["scifact"]


def test_a_forum_of_cqadupstack(serve: Callable[[str, bytes], None]):
    serve("cqadupstack.zip", archive("cqadupstack/android", "cqadupstack/tex"))
    assert open_task(registry(), "beir:cqadupstack/tex").facts.name == "beir:cqadupstack/tex"
    assert len(open_task(registry(), "beir:cqadupstack/tex").corpus()) == 2
    for name in ("beir:cqadupstack", "beir:cqadupstack/cooking"):
        with pytest.raises(TaskNotFound, match="cqadupstack/android"):
            open_task(registry(), name)


def test_an_archive_that_is_not_the_official_one_is_refused(
    serve: Callable[[str, bytes], None], monkeypatch: pytest.MonkeyPatch, own_home: Path
):
    serve("scifact.zip", archive("scifact"))
    monkeypatch.setitem(SETS, "scifact", replace(SETS["scifact"], md5="0" * 32))
    with pytest.raises(DataError, match="md5 0000"):
        open_task(registry(), "beir:scifact").corpus()
    assert not list((own_home / "beir").iterdir())


@pytest.mark.parametrize(
    "content", [None, b"<html>sorry</html>", archive("scifact")[:99]], ids=["404", "a page", "cut off"]
)
def test_what_cannot_be_fetched_leaves_nothing_and_says_what_to_do(
    serve: Callable[[str, bytes], None], own_home: Path, content: bytes | None
):
    if content is not None:
        serve("scifact.zip", content)
    with pytest.raises(TaskNotFound, match="harness tasks show beir:scifact") as caught:
        open_task(registry(), "beir:scifact").corpus()
    assert str(own_home / "beir" / "scifact") in str(caught.value)  # where to put it by hand
    assert not list((own_home / "beir").iterdir())


def test_without_a_network_a_folder_put_in_place_is_enough(monkeypatch: pytest.MonkeyPatch, own_home: Path):
    monkeypatch.setattr(from_beir, "URL", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(TaskNotFound, match="where there is a network"):
        open_task(registry(), "beir:arguana").corpus()
    write(own_home / "beir" / "arguana")
    task = open_task(registry(), "beir:arguana")
    assert task.facts.exclude_self
    assert len(task.queries("test")) == 1


def test_what_may_not_be_passed_on_is_told(own_home: Path):
    with pytest.raises(TaskNotFound, match="NIST"):
        open_task(registry(), "beir:robust04").corpus()
    write(own_home / "beir" / "robust04")
    assert len(open_task(registry(), "beir:robust04").corpus()) == 2


def write(folder: Path) -> Path:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_any_folder_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path / "some" / "mine")
    monkeypatch.chdir(tmp_path / "some")
    prints: set[str] = set()
    for name in ("beir:mine", "beir:./mine", "beir:mine/", f"beir:{tmp_path}/some/mine"):
        task = open_task(registry(), name)
        assert task.facts.name == "beir:mine"  # no path of this machine on the board
        assert not task.facts.exclude_self
        prints.add(task.fingerprint("test"))
    assert len(prints) == 1


def test_a_name_of_beir_wins_over_a_folder_unless_it_is_written_as_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write(tmp_path / "quora")
    monkeypatch.chdir(tmp_path)
    assert open_task(registry(), "beir:quora").facts.exclude_self
    assert not open_task(registry(), "beir:./quora").facts.exclude_self


@pytest.mark.parametrize("name", ["beir:nfcorpsu", "beir:./nowhere"])
def test_neither_a_data_set_nor_a_folder(name: str):
    with pytest.raises(TaskNotFound, match="nfcorpus"):
        open_task(registry(), name)


def test_the_table_is_that_of_beirs_own_readme():
    """Lines such as `| NFCorpus | … | ``nfcorpus`` | ✅ |``train``<br>``test``| … | ``<md5>`` |` of its metadata."""
    pytest.importorskip("beir")
    readme = distribution("beir").read_text("METADATA")
    assert readme is not None
    rows = [line.split("|") for line in readme.splitlines() if line.count("|") > 9 and "[Homepage]" in line]
    stated = {columns[3].strip(" `"): columns for columns in rows}
    assert set(stated) == set(SETS)
    for name, columns in stated.items():
        splits = tuple(re.findall(r"``(\w+)``", columns[5]))
        assert SETS[name].splits == (splits if name != "nq" else ("test",))  # nq.zip has no train: that is nq-train.zip
        assert SETS[name].public == ("✅" in columns[4])
        assert SETS[name].md5 == (columns[10].strip(" `") if SETS[name].public else "")


def test_splits_are_those_that_ir_datasets_knows():
    """An independent list of the benchmark: ids `beir/<name>[/<split>]`."""
    irds = pytest.importorskip("ir_datasets").registry
    known = {name.removeprefix("beir/") for name in irds if name.startswith("beir/")}
    for name, one in SETS.items():
        below = {known_id.partition("/")[2] for known_id in known if known_id.startswith(f"{name}/")}
        if name == "cqadupstack":
            assert below == set(FORUMS)
        elif one.public:
            assert (below - {"v2"} or {"test"}) == set(one.splits), name
    assert len(SETS) - len(["msmarco"]) == 18
