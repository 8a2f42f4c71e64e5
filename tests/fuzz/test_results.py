"""Files of results and bundles get in whole and checked, or nothing of them does."""

import gzip
import hashlib
import io
import json
import zipfile
from dataclasses import replace

import pytest
from hypothesis import strategies as st

from harness.store import exchange, results_file
from harness.store.inspection import problems
from harness.store.records import Artefact
from tests.store.conftest import SAMPLE

pytestmark = pytest.mark.timeout(3600)

LEFT = b"PAR1 some file that an evaluation left"
RUN = Artefact(name="run", path="a/run.parquet", sha256=hashlib.sha256(LEFT).hexdigest(), bytes=len(LEFT))
DONE = replace(SAMPLE, training={"lesson": "x", "curves": {"fit": [1.0, 0.5]}}, artefacts=(RUN,))
LATER = replace(DONE, id="f" * 16, first_stages=(DONE.id,), artefacts=())
FILE = results_file.packed([DONE, LATER])
LINES = [json.loads(line) for line in gzip.decompress(FILE).splitlines()]


def signed(lines: list[bytes], header: dict) -> bytes:
    """The file of these lines, with their true hash."""
    content = b"".join(line + b"\n" for line in lines)
    first = header | {"sha256": hashlib.sha256(content).hexdigest()}
    return gzip.compress(json.dumps(first).encode() + b"\n" + content, mtime=0)


@st.composite
def files(draw, mutations) -> bytes:
    """Spoiled as it lies there, or unpacked, or a value of it, and signed again: who makes a file knows its hash."""
    lines = [*map(mutations.json_line, LINES[1:])]
    place = draw(st.integers(0, len(lines) - 1))
    match draw(st.sampled_from(["bent", "bent", "bent", "line", "header", "packed", "unpacked"])):
        case "bent":
            lines[place] = mutations.json_line(draw(mutations.bent(LINES[1 + place])))
        case "line":
            lines[place] = draw(mutations.spoiled(lines[place]))
        case "header":
            return signed(lines, draw(mutations.bent(LINES[0]).filter(lambda value: isinstance(value, dict))))
        case "packed":
            return draw(mutations.spoiled(FILE))
        case _:
            return gzip.compress(draw(mutations.spoiled(gzip.decompress(FILE))))
    return signed(lines, LINES[0])


def check_stored(store) -> None:
    """What got in is sound and goes out again as it is."""
    assert [problem for problem in problems(store) if "is not in" not in problem] == []
    found = store.evaluations()
    assert results_file.unpacked(results_file.packed(found), "again") == sorted(found, key=lambda one: one.id)


def test_results(fuzz, mutations, scratch, unchanged):
    def take(content: bytes) -> None:
        root = scratch.fresh()
        store, file = scratch.store(), root / "results.json.gz"
        file.write_bytes(content)
        unchanged(root, lambda: exchange.import_results(store, file))
        check_stored(store)

    fuzz("results import", files(mutations), take)


def zipped(members: list[tuple[str, bytes]]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return target.getvalue()


MANIFEST = {"format": "harness-bundle-1", "evaluations": 2, "files": {RUN.sha256: len(LEFT)}}


@st.composite
def bundles(draw, mutations) -> bytes:
    """An archive whose bytes, results, manifest, files or names are not what they were."""
    members = {"bundle.json": json.dumps(MANIFEST).encode(), "results.jsonl.gz": FILE, f"files/{RUN.sha256}": LEFT}
    match draw(st.sampled_from(["results", "results", "manifest", "content", "name", "bytes", "bytes"])):
        case "results":
            members["results.jsonl.gz"] = draw(files(mutations))
        case "manifest":
            bent, spoiled = mutations.bent(MANIFEST), mutations.spoiled(members["bundle.json"])
            members["bundle.json"] = draw(st.one_of(bent.map(mutations.json_line), spoiled))
        case "content":
            name = draw(st.sampled_from(sorted(members)))
            members[name] = draw(mutations.spoiled(members[name]))
        case "name":
            name = draw(st.sampled_from(sorted(members)))
            odd = [
                "../x",
                "/tmp/x",
                "",
                "files/",
                f"files/{'a' * 64}",
                "files/../x",
                "C:\\x",
                "a" * 300,
                "bundle.json ",
            ]
            members[draw(st.sampled_from(odd))] = members.pop(name)
        case _:
            return draw(mutations.spoiled(zipped([*members.items()])))
    return zipped([*members.items()])


def test_bundles(fuzz, mutations, scratch, unchanged):
    def take(content: bytes) -> None:
        root = scratch.fresh()
        store, file = scratch.store(), root / "lab.bundle"
        file.write_bytes(content)
        unchanged(root, lambda: exchange.unbundle(store, file))
        check_stored(store)

    fuzz("results unbundle", bundles(mutations), take)
