"""Signals as Arrow columns: how each kind lies in a Parquet file, and comes back exactly as it was."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

TENSOR = pa.struct([("dtype", pa.string()), ("shape", pa.list_(pa.int32())), ("data", pa.large_binary())])
"""One array of any shape: numpy's name of its type, and its numbers in C order."""

TYPES: dict[str, pa.DataType] = {
    "score": pa.float32(),
    "score-lists": pa.list_(pa.float32()),
    "prefer": pa.float32(),
    "judge": pa.int32(),
    "order": pa.list_(pa.int32()),
    "embed": pa.list_(pa.float32()),
    "features": pa.map_(pa.string(), TENSOR),
    "generate": pa.large_string(),
}
"""How each kind is stored; `score-lists` are scores that are only true of a whole list."""


def column(kind: str, values: Sequence[Any]) -> pa.Array:
    """Values of one kind, to be written."""
    return pa.array([_packed(named) for named in values] if kind == "features" else values, TYPES[kind])


def values(kind: str, stored: pa.ChunkedArray) -> list[Any]:
    """What `column` was given: numbers, texts, arrays, or arrays by name."""
    if kind == "features":
        return [_unpacked(named) for named in stored.to_pylist()]
    return _rows(stored) if pa.types.is_list(TYPES[kind]) else stored.to_pylist()


def _rows(stored: pa.ChunkedArray) -> list[np.ndarray]:
    """Lists of numbers as arrays that share one buffer: a Python number takes eight times the memory."""
    rows: list[np.ndarray] = []
    for chunk in stored.chunks:
        flat = chunk.values.to_numpy()
        rows += [flat[start:end] for start, end in pairwise(chunk.offsets.to_numpy().tolist())]
    return rows


def _packed(named: Mapping[str, np.ndarray]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, {"dtype": array.dtype.str, "shape": list(array.shape), "data": array.tobytes()})
        for name, array in named.items()
    ]


def _unpacked(named: list[tuple[str, dict[str, Any]]]) -> dict[str, np.ndarray]:
    return {name: np.frombuffer(it["data"], np.dtype(it["dtype"])).reshape(it["shape"]) for name, it in named}
