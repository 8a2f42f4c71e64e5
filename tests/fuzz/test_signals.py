"""A file of signals is taken in whole, every value as a teacher gives it, or nothing of it is."""

import io
import json
import shutil
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import strategies as st

from harness.seal import digest_of
from harness.signals import columns
from harness.signals.exchange import holdings, take_in
from harness.signals.shards import write_shard
from harness.signals.store import SignalStore

pytestmark = [pytest.mark.timeout(3600), pytest.mark.filterwarnings("ignore:Duplicate name")]

NOTE = {"teacher": "toy@1", "kind": "score", "description": {"plugin": "toy"}, "calls": 2, "seconds": 0.5}
ARRAYS = {"hidden": np.ones((2, 3), np.float32), "odd": np.array([True, False])}
VALUES = {
    "score": [1.0, 2.5],
    "score-lists": [[1.0, 2.0], [0.5]],
    "prefer": [0.5, 1.0],
    "judge": [0, 3],
    "order": [[1, 0], [0]],
    "embed": [[0.5, 1.0], [1.0, 0.0]],
    "features": [ARRAYS, ARRAYS],
    "generate": ["some text", ""],
}
KEYS = [bytes(16), bytes(range(16))]
ODD = {
    "score": [float("nan"), float("inf"), None, -1e30],
    "prefer": [float("nan"), None, 7.0],
    "judge": [None, 2**31 - 1, -5],
    "order": [None, [0, 0], [5], [-1], [None]],
    "embed": [None, [], [float("nan")], [None], [1.0] * 3],
    "generate": [None, "\0", "x" * 5000],
}
TENSORS = [
    ("<f4", [2], bytes(8)),
    ("<f4", [3], bytes(8)),
    ("<f4", [-1], bytes(8)),
    ("|O", [1], bytes(8)),
    ("x", [], b""),
]
TENSORS += [("<f4", [1], np.float32("nan").tobytes()), ("<U2", [1], bytes(8)), ("<f4", [2**31 - 1, 2**31 - 1], b"")]
TENSORS += [
    (None, None, None),
    ("<f4", [None], bytes(4)),
    ("<f4", [0], b""),
    ("(2,2)<f4", [1], bytes(16)),
    ("<M8[s]", [1], bytes(8)),
]


def shard(folder, kind: str, values: list, note: dict, keys: list | None = None) -> tuple[str, bytes]:
    """Name and bytes of a shard with these values, whatever they are."""
    schema = pa.schema([("key", pa.binary(16)), ("value", columns.TYPES[kind])])
    schema = schema.with_metadata({b"harness": json.dumps(note).encode()})
    table = pa.table(
        [pa.array(keys or KEYS[: len(values)], pa.binary(16)), pa.array(values, columns.TYPES[kind])], schema
    )
    pq.write_table(table, folder / "made.parquet")
    content = (folder / "made.parquet").read_bytes()
    return f"{digest_of(folder / 'made.parquet')}.parquet", content


def right(folder, kind: str) -> tuple[str, bytes]:
    made = write_shard(folder / "right", kind, KEYS, VALUES[kind], NOTE | {"kind": kind})
    return made.path.name, made.path.read_bytes()


def packed(members: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return target.getvalue()


@st.composite
def files(draw, mutations, folder):
    """Some right shards, and one that is wrong in some way and has its right hash."""
    members = [right(folder, kind) for kind in draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=2))]
    kind = draw(st.sampled_from(sorted(ODD)))
    match draw(st.sampled_from(["note", "value", "tensor", "key", "content", "bytes", "name"])):
        case "note":
            note = draw(mutations.bent(NOTE | {"kind": kind}))
            members.append(shard(folder, kind, VALUES[kind], note))
        case "value":
            members.append(
                shard(folder, kind, [VALUES[kind][0], draw(st.sampled_from(ODD[kind]))], NOTE | {"kind": kind})
            )
        case "tensor":
            dtype, shape, data = draw(st.sampled_from(TENSORS))
            value = [("hidden", {"dtype": dtype, "shape": shape, "data": data})]
            value = draw(st.sampled_from([value, value * 2, [], None]))
            members.append(shard(folder, "features", [value], NOTE | {"kind": "features"}))
        case "key":
            keys = draw(st.sampled_from([[None, KEYS[0]], [KEYS[0], KEYS[0]]]))
            members.append(shard(folder, kind, VALUES[kind], NOTE | {"kind": kind}, keys))
        case "content":
            spoiled = draw(mutations.spoiled(right(folder, kind)[1]))
            (folder / "x").write_bytes(spoiled)
            members.append((f"{digest_of(folder / 'x')}.parquet", spoiled))
        case "bytes":
            return draw(mutations.spoiled(packed([*members, right(folder, kind)])))
        case _:
            odd = [
                "../x.parquet",
                "/tmp/x.parquet",
                "x.parquet",
                ".parquet",
                "a\\b.parquet",
                "a/",
                "",
                "x" * 300 + ".parquet",
            ]
            members.append((draw(st.sampled_from(odd)), right(folder, kind)[1]))
    return packed(members)


def check_values(store: SignalStore) -> None:
    """What was taken in can be read, and is what a teacher gives."""
    for holding in holdings(store):
        assert holding.count == sum(len(one.values()) for one in holding.shards)
        assert holding.seconds >= 0
        shelf = store.shelf(holding.teacher, holding.kind).read()
        for value in shelf.values():
            arrays = value.values() if isinstance(value, dict) else [value]
            assert value is not None
            assert all(isinstance(one, str) or np.isfinite(np.asarray(one, np.float64)).all() for one in arrays)


def test_signals(fuzz, mutations, scratch, unchanged, tmp_path):
    folder = tmp_path / "made"
    folder.mkdir()

    def take(content: bytes) -> None:
        shutil.rmtree(folder / "right", ignore_errors=True)
        root = scratch.fresh()
        (root / "signals.zip").write_bytes(content)
        store = SignalStore()
        unchanged(root, lambda: take_in(store, root / "signals.zip"))
        check_values(SignalStore())

    fuzz("signals import", files(mutations, folder), take)
