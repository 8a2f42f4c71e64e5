"""Signals that were exported here and imported elsewhere serve there; a tampered file is refused whole."""

import zipfile

import numpy as np
import pytest

from harness.errors import SignalError
from harness.signals.exchange import export, holdings, take_in
from harness.signals.store import SignalStore
from harness.signals.teacher import RememberingTeacher


@pytest.fixture
def exported(store, remembering, counting, make_pairs, tmp_path):
    remembering(counting(), description={"plugin": "toy"}).score(make_pairs(3, 50))
    file = tmp_path / "signals.zip"
    assert export(holdings(store), file) == 2
    return file


def test_imported_signals_serve_and_are_marked(exported, counting, make_pairs, tmp_path):
    other, teacher = SignalStore(tmp_path / "elsewhere"), counting()
    for _ in range(2):  # the same file twice adds nothing
        take_in(other, exported)
    (holding,) = holdings(other)
    assert (holding.count, len(holding.shards), holding.imported, holding.calls) == (150, 2, 2, 150)
    scores = RememberingTeacher(teacher=teacher, store=other).score(make_pairs(3, 50))
    assert teacher.asked == []
    assert np.array_equal(scores, counting().score(make_pairs(3, 50)))


def test_tampered_file_is_refused_and_nothing_is_stored(exported, tmp_path):
    with zipfile.ZipFile(exported) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    changed = bytearray(contents[min(contents)])
    changed[100] ^= 1
    for name, entries in {
        "flipped": {**contents, min(contents): bytes(changed)},
        "outside": {**contents, "../" + min(contents): contents[min(contents)]},
        "foreign": {**contents, "readme.txt": b"x"},
    }.items():
        file, other = tmp_path / f"{name}.zip", SignalStore(tmp_path / name)
        with zipfile.ZipFile(file, "w") as archive:
            for entry, content in entries.items():
                archive.writestr(entry, content)
        with pytest.raises(SignalError):
            take_in(other, file)
        assert holdings(other) == []


def test_no_zip_file(tmp_path):
    file = tmp_path / "x.zip"
    file.write_text("no")
    with pytest.raises(SignalError, match="signals export"):
        take_in(SignalStore(tmp_path), file)
