"""A shard with a right hash is still refused if its values are none that a teacher gives, or too many."""

import json
import zipfile
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import SignalError
from harness.seal import digest_of
from harness.signals import columns
from harness.signals.exchange import holdings, take_in
from harness.signals.store import SignalStore

NOTE = {"teacher": "toy@1", "kind": "score", "description": {}, "calls": 2, "seconds": 0.5}
KEYS = [bytes(16), bytes(range(16))]


def tensor(dtype="<f4", shape=(2,), data=None):
    return {"dtype": dtype, "shape": list(shape), "data": np.ones(2, np.float32).tobytes() if data is None else data}


def shard(folder, kind, values, note=None, keys=KEYS) -> tuple[str, bytes]:
    schema = pa.schema([("key", pa.binary(16)), ("value", columns.TYPES[kind])])
    schema = schema.with_metadata({b"harness": json.dumps(NOTE | {"kind": kind} if note is None else note).encode()})
    table = pa.table([pa.array(keys, pa.binary(16)), pa.array(values, columns.TYPES[kind])], schema)
    pq.write_table(table, folder / "x", compression="zstd")
    return f"{digest_of(folder / 'x')}.parquet", (folder / "x").read_bytes()


def refused(folder, *members, packed=zipfile.ZIP_STORED) -> str:
    """What is said of a file with these members; nothing of it may be there afterwards."""
    store = SignalStore(folder / "signals")
    with zipfile.ZipFile(folder / "x.zip", "w", packed) as archive:
        for name, content in members:
            archive.writestr(name, content)
    with pytest.raises(SignalError) as error:
        take_in(store, folder / "x.zip")
    assert holdings(store) == []
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("kind", "values", "word"),
    [
        ("score", [1.0, None], "missing"),
        ("score", [1.0, float("nan")], "a number that is none"),
        ("score-lists", [[1.0], [float("inf")]], "a number that is none"),
        ("embed", [[1.0, 2.0], [1.0]], "2 and 1 dimensions"),
        ("embed", [[], []], "dimensions"),
        ("embed", [[1.0], [None]], "a number that is none"),
        ("order", [[0, 1], [0, 0]], "each position once"),
        ("judge", [1, None], "missing"),
        ("generate", ["x", None], "missing"),
        ("features", [[("a", tensor())], [("a", tensor(shape=(3,)))]], "'a' that is none"),
        ("features", [[("a", tensor())], [("a", tensor(dtype="|O"))]], "'a' that is none"),
        ("features", [[("a", tensor())], [("a", tensor(shape=(-1,)))]], "'a' that is none"),
        ("features", [[("a", tensor())], [("a", tensor(data=np.full(2, np.nan, np.float32).tobytes()))]], "is none"),
        ("features", [[("a", tensor())], [("b", tensor())]], "other names"),
        ("features", [[("a", tensor())], [("a", tensor()), ("a", tensor())]], "other names"),
    ],
)
def test_values_that_no_teacher_gives(tmp_path, kind, values, word):
    right = shard(tmp_path, "score", [1.0, 2.0])  # first in the file: it must not be there either
    assert word in refused(tmp_path, right, shard(tmp_path, kind, values))


@pytest.mark.parametrize(
    "note",
    [
        *([], "", 1, {**NOTE, "calls": True}, {**NOTE, "calls": -1}, {**NOTE, "calls": 10**30}),
        *({**NOTE, "seconds": -0.5}, {**NOTE, "seconds": float("nan")}),
        *({**NOTE, "teacher": "\ud800"}, {**NOTE, "imported": "x"}),
    ],
)
def test_notes_that_are_none(tmp_path, note):
    name, content = shard(tmp_path, "score", [1.0, 2.0], note)
    assert name[:12] in refused(tmp_path, (name, content))


def test_a_key_that_is_missing(tmp_path):
    assert "missing" in refused(tmp_path, shard(tmp_path, "score", [1.0, 2.0], keys=[bytes(16), None]))


def test_a_parquet_bomb_of_equal_rows(tmp_path):
    """A million rows in a few kilobytes: keys are digests, and don't pack."""
    rows = 1_000_000
    bomb = shard(tmp_path, "score", np.ones(rows, np.float32), keys=pa.array([bytes(16)] * rows, pa.binary(16)))
    assert len(bomb[1]) < rows
    assert "1000000 rows" in refused(tmp_path, bomb)


def test_a_parquet_bomb_of_one_large_value(tmp_path, monkeypatch):
    """One text of many megabytes that packs to nothing, and the same one in every row."""
    monkeypatch.setattr("harness.signals.foreign.FREE_BYTES", 1 << 20)
    text, keys = "x" * (1 << 23), [blake2b(bytes([number]), digest_size=16).digest() for number in range(200)]
    assert "rows and" in refused(tmp_path, shard(tmp_path, "generate", [text, "y"]))
    monkeypatch.setattr("harness.signals.foreign.MOST_RATIO", 1000)
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 200, pa.int32()), pa.array([text[: 1 << 18]])).cast(
        pa.large_string()
    )
    assert "bytes of values" in refused(tmp_path, shard(tmp_path, "generate", shared, keys=keys))


def test_a_zip_bomb_and_a_link(tmp_path):
    right = shard(tmp_path, "score", [1.0, 2.0])
    assert "packed" in refused(tmp_path, right, packed=zipfile.ZIP_DEFLATED)
    link = zipfile.ZipInfo(right[0])
    link.create_system, link.external_attr = 3, 0o120777 << 16
    assert "link" in refused(tmp_path, (link, b"/etc/passwd"))
