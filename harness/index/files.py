"""Arrays in a folder, written block by block and read by memory map, with a header that says what they must be."""

import json
import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from harness.contracts import Corpus
from harness.errors import DataError

HEADER = "index.json"
FORMAT = 1


def write(folder: Path, kind: str, corpus: Corpus, blocks: Iterable[Mapping[str, np.ndarray]]) -> None:
    """Append every block's arrays along their first axis, then write the header, without which nothing is read.

    Args:
        folder: an empty folder.
        kind: name of the index's form.
        corpus: what is indexed.
        blocks: arrays by name, the same names, types and further axes in each block; at least one block.
    """
    arrays: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        files: dict[str, BinaryIO] = {}
        for block in blocks:
            for name, array in block.items():
                if name not in files:
                    files[name] = stack.enter_context((folder / f"{name}.bin").open("wb"))
                    arrays[name] = {"dtype": array.dtype.str, "shape": [0, *array.shape[1:]]}
                dtype, shape = arrays[name]["dtype"], arrays[name]["shape"]
                assert (dtype, shape[1:]) == (array.dtype.str, [*array.shape[1:]]), f"blocks of {name} differ"
                shape[0] += len(array)
                files[name].write(np.ascontiguousarray(array).data)
    header = {"format": FORMAT, "kind": kind, "corpus": corpus.fingerprint, "arrays": arrays}
    (folder / HEADER).write_text(json.dumps(header))


def read(folder: Path, kind: str, corpus: Corpus) -> dict[str, np.ndarray]:
    """The arrays by name, memory-mapped.

    Raises:
        DataError: no complete index of this kind and of this corpus.
    """
    try:
        header = json.loads((folder / HEADER).read_text())
        arrays = {name: (np.dtype(facts["dtype"]), tuple(facts["shape"])) for name, facts in header["arrays"].items()}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{folder}: expected an index, got {type(error).__name__}: {error}; index again") from error
    for name, expected in (("format", FORMAT), ("kind", kind), ("corpus", corpus.fingerprint)):
        if header.get(name) != expected:
            got = header.get(name)
            raise DataError(f"{folder}: expected an index with {name} {expected!r}, got {got!r}; index again")
    return {name: _map(folder / f"{name}.bin", dtype, shape) for name, (dtype, shape) in arrays.items()}


def copy(source: Path, target: Path) -> None:
    """Copy an index to an empty folder."""
    for path in source.iterdir():
        shutil.copyfile(path, target / path.name)


def _map(path: Path, dtype: "np.dtype[Any]", shape: tuple[int, ...]) -> np.ndarray:
    expected = int(np.prod(shape)) * dtype.itemsize
    got = path.stat().st_size if path.exists() else -1
    if got != expected:
        raise DataError(f"{path}: expected {expected} bytes, got {'no file' if got < 0 else got}; index again")
    return np.memmap(path, dtype, "r", shape=shape) if expected else np.empty(shape, dtype)
