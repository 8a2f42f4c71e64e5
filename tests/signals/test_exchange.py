"""Signals that were exported here and imported elsewhere serve there; a tampered file is refused whole."""

import zipfile

import numpy as np
import pytest

from harness.errors import SignalError
from harness.signals.exchange import export, holdings, take_in
from harness.signals.shards import write_shard
from harness.signals.store import SignalStore
from harness.signals.teacher import RememberingTeacher


def copied(contents, file):
    with zipfile.ZipFile(file, "w") as archive:
        for entry, content in contents.items():
            archive.writestr(entry, content)
    return file


@pytest.fixture
def exported(store, remembering, counting, make_pairs, tmp_path):
    ours = remembering(counting(), description={"plugin": "toy"})
    ours.score(make_pairs(3, 50))
    ours.features(make_pairs(2, 5))
    file = tmp_path / "signals.zip"
    assert export(holdings(store), file) == 3
    return file


@pytest.fixture
def contents(exported):
    with zipfile.ZipFile(exported) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_imported_signals_serve_and_are_marked(exported, counting, make_pairs, tmp_path, contents):
    other, teacher = SignalStore(tmp_path / "elsewhere"), counting()
    for _ in range(2):  # the same file twice adds nothing
        take_in(other, exported)
    found = {holding.kind: holding for holding in holdings(other)}
    facts = {kind: (its.count, len(its.shards), its.imported, its.calls) for kind, its in found.items()}
    assert facts == {"features": (10, 1, 1, 10), "score": (150, 2, 2, 150)}
    marks = [shard.provenance["imported"] for its in found.values() for shard in its.shards]
    assert {mark["file"] for mark in marks} == {"signals.zip"}
    assert {mark["sha256"] + ".parquet" for mark in marks} == set(contents)
    ours = RememberingTeacher(teacher=teacher, store=other)
    assert np.array_equal(ours.score(make_pairs(3, 50)), counting().score(make_pairs(3, 50)))
    right = counting().features(make_pairs(2, 5))
    for name, array in ours.features(make_pairs(2, 5)).items():
        assert array.dtype == right[name].dtype
        assert np.array_equal(array, right[name])
    assert teacher.asked == []


def test_signals_travel_on_from_where_they_were_imported(exported, tmp_path):
    stores = [SignalStore(tmp_path / name) for name in ("second", "third")]
    take_in(stores[0], exported)
    export(holdings(stores[0]), tmp_path / "again.zip")
    take_in(stores[1], tmp_path / "again.zip")
    assert [holding.count for holding in holdings(stores[1])] == [10, 150]


def test_tampered_file_is_refused_and_nothing_is_stored(contents, tmp_path):
    first = min(contents)
    for number, name in enumerate(contents):
        changed = bytearray(contents[name])
        changed[len(changed) // 2] ^= 1
        cases = {"flipped": {**contents, name: bytes(changed)}, "cut": {**contents, name: contents[name][:-1]}}
        cases |= {"outside": {**contents, "../" + first: contents[first]}, "foreign": {**contents, "readme.txt": b"x"}}
        for case, entries in cases.items():
            other = SignalStore(tmp_path / f"{case}-{number}")
            with pytest.raises(SignalError):
                take_in(other, copied(entries, tmp_path / "tampered.zip"))
            assert holdings(other) == []


@pytest.mark.parametrize(
    ("note", "wrong"),
    [
        ({"teacher": "t", "kind": "../../up", "description": {}, "calls": 1, "seconds": 0.5}, "kind"),
        ({"teacher": "t", "kind": "judge", "description": {}, "calls": 1, "seconds": 0.5}, "columns"),
        ({"teacher": "t", "kind": "score", "description": {}, "calls": "many", "seconds": 0.5}, "calls"),
        ({"kind": "score", "description": {}, "calls": 1, "seconds": 0.5}, "teacher"),
    ],
)
def test_a_file_with_a_right_hash_and_a_wrong_note_is_refused(contents, tmp_path, note, wrong):
    shard = write_shard(tmp_path / "made", "score", [bytes(16)], [1.0], note)
    entries = {**contents, shard.path.name: shard.path.read_bytes()}
    other = SignalStore(tmp_path / "elsewhere")
    with pytest.raises(SignalError, match=f"unexpected {wrong}"):
        take_in(other, copied(entries, tmp_path / "wrong.zip"))
    assert holdings(other) == []


def test_no_zip_file(tmp_path):
    file = tmp_path / "x.zip"
    file.write_text("no")
    with pytest.raises(SignalError, match="signals export"):
        take_in(SignalStore(tmp_path), file)
