"""What a shard from elsewhere must be before any of it is kept: values as a teacher gives them, of a size that fits."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.signals import columns
from harness.signals.keys import SIZE

FACTS: dict[str, Any] = {"teacher": str, "kind": str, "description": dict, "calls": int, "seconds": float}
"""What a note must hold."""

FREE_BYTES, MOST_RATIO = 1 << 26, 100
"""What unpacks to more than the first and to more than this many times the file's size is refused."""

ROWS = {"features": 1, "generate": 16}
"""Rows that are unpacked together where one may be large; 1,024 elsewhere."""

SURROGATE = re.compile("[\ud800-\udfff]")


def note(content: bytes) -> Mapping[str, Any]:
    """What a shard says of its origin.

    Raises:
        ValueError: it is no JSON object, or holds a number that JSON doesn't have.
    """

    def no_number(text: str) -> Any:
        raise ValueError(f"{text} is no number")

    try:
        value = json.loads(content, parse_constant=no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"it is of the type {type(value).__name__}, not an object")
    return value


def fault_of_note(given: Mapping[str, Any]) -> str:
    """The field of a note that is not as a shard of ours has it; empty if all are."""
    for name, kind in FACTS.items():
        if not isinstance(given.get(name), kind) or isinstance(given[name], bool):
            return name
    if SURROGATE.search(json.dumps(given, ensure_ascii=False)):
        return "half characters"
    if given["kind"] not in columns.TYPES:
        return "kind"
    if not 0 <= given["calls"] < 1 << 63:
        return "calls"
    if not (math.isfinite(given["seconds"]) and given["seconds"] >= 0):
        return "seconds"
    return "" if isinstance(given.get("imported", {}), dict) else "imported"


def fault_of_size(path: Path) -> str:
    """Why a file would unpack to absurdly much, as far as it says so; empty if it doesn't.

    Keys are digests, which nothing packs: a file of fewer bytes than its keys have is a trap.
    """
    metadata, size = pq.read_metadata(path), path.stat().st_size
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    parts = [group.column(place) for group in groups for place in range(group.num_columns)]
    unpacked = sum(max(part.total_uncompressed_size, 4 * part.num_values) for part in parts)
    if metadata.num_rows * SIZE > size or unpacked > _limit(size):
        return f"{metadata.num_rows} rows and {unpacked} bytes in a file of {size}"
    return ""


def fault_of_values(path: Path, kind: str) -> str:
    """The first value that no teacher gives, in words; empty if there is none. Few rows are unpacked at a time.

    Raises:
        OSError, pa.ArrowException: the file can't be read.
    """
    limit, unpacked, shape = _limit(path.stat().st_size), 0, Shape(kind)
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS.get(kind, 1024)):
            unpacked += batch.nbytes
            if unpacked > limit:
                return f"more than {limit} bytes of values"
            batch.validate(full=True)
            keys, values = batch.column("key"), batch.column("value")
            if keys.null_count or values.null_count:
                return "a key or value that is missing"
            if fault := shape.fault(values):
                return fault
    return ""


def _limit(size: int) -> int:
    return max(FREE_BYTES, MOST_RATIO * size)


class Shape:
    """What all values of a shard have in common, as far as it was seen."""

    def __init__(self, kind: str) -> None:
        """Nothing was seen yet."""
        lists: dict[str, Callable[[pa.Array], Iterator[str]]]
        lists = {"order": self._orders, "embed": self._vectors, "features": self._features}
        self._faults = lists.get(kind, self._numbers)
        self._common: Any = None

    def fault(self, values: pa.Array) -> str:
        """What is wrong with the first of these that is not as it should be; empty if all are."""
        return next(self._faults(values), "")

    def _numbers(self, values: pa.Array) -> Iterator[str]:
        flat = values.flatten() if pa.types.is_list(values.type) else values
        if flat.null_count or (pa.types.is_floating(flat.type) and not np.isfinite(flat.to_numpy()).all()):
            yield "a number that is none"

    def _vectors(self, values: pa.Array) -> Iterator[str]:
        yield from self._numbers(values)
        for length in np.unique(np.diff(values.offsets.to_numpy())).tolist():
            self._common = self._common or length
            if length != self._common or not length:
                yield f"vectors of {length} and {self._common} dimensions"

    def _orders(self, values: pa.Array) -> Iterator[str]:
        yield from self._numbers(values)
        for order in values.to_pylist():
            if sorted(order) != list(range(len(order))):
                yield "an order that doesn't name each position once"

    def _features(self, values: pa.Array) -> Iterator[str]:
        for row in values.to_pylist():
            names = [name for name, _ in row]
            self._common = self._common or names
            if names != self._common or len(set(names)) < len(names) or not names:
                yield "arrays of other names than before, or of none"
            yield from (f"an array {name[:40]!r} that is none" for name, it in row if not _is_array(it))


def _is_array(it: Mapping[str, Any]) -> bool:
    """Whether a stored tensor is an array of finite numbers, of the size that its shape says."""
    try:
        dtype = np.dtype(it["dtype"])
        if dtype.kind not in "fiub" or dtype.shape or min(it["shape"], default=0) < 0:
            return False
        if math.prod(it["shape"]) * dtype.itemsize != len(it["data"]):
            return False
        return bool(np.isfinite(np.frombuffer(it["data"], dtype)).all())
    except (TypeError, ValueError):  # no name of a type, a part that is missing
        return False
