"""Blocks of embeddings, each kept in a file as soon as it is made: an indexing that was stopped goes on there."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import scipy.sparse as sp

Arrays = Mapping[str, np.ndarray]


def resumed(folder: Path, blocks: Sequence[range], make: Callable[[range], Any]) -> Iterator[Any]:
    """The blocks in order: those that lie in the folder are read, the others are made and put there.

    What is read is what was made, to the last bit. A form of embeddings that isn't known here is always made.

    Args:
        folder: of the same model, options and documents each time; made if it isn't there, `forget` removes it.
        blocks: rows of each block.
        make: makes one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for rows in blocks:
        file = folder / f"{rows.start}-{rows.stop}.npz"
        block = _read(file)
        if block is None:
            block = make(rows)
            _write(file, _arrays(block))
        yield block


def forget(folder: Path) -> None:
    """Remove the blocks once the index is whole."""
    shutil.rmtree(folder, ignore_errors=True)


def _read(file: Path) -> Any:
    """None if there is none, or half of one."""
    try:
        with file.open("rb") as opened, np.load(opened) as arrays:
            return _block(arrays)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _write(file: Path, arrays: Arrays | None) -> None:
    """Whole or not at all."""
    if arrays is None:
        return
    part = file.with_suffix(f".{os.getpid()}")
    with part.open("wb") as opened:
        np.savez(opened, allow_pickle=False, **arrays)
    os.replace(part, file)


def _arrays(block: Any) -> Arrays | None:
    """A vector a text, weights of terms, or a list of vectors a text; None for anything else."""
    if isinstance(block, np.ndarray):
        return {"vectors": block}
    if isinstance(block, sp.csr_array):
        shape = np.array(block.shape)
        return {"weights": block.data, "terms": block.indices, "offsets": block.indptr, "shape": shape}
    if isinstance(block, list) and block and all(isinstance(each, np.ndarray) for each in block):
        return {"tokens": np.concatenate(block), "lengths": np.array([len(each) for each in block])}
    return None


def _block(arrays: Arrays) -> Any:
    if "vectors" in arrays:
        return arrays["vectors"]
    if "weights" in arrays:
        return sp.csr_array((arrays["weights"], arrays["terms"], arrays["offsets"]), shape=tuple(arrays["shape"]))
    return np.split(arrays["tokens"], np.cumsum(arrays["lengths"])[:-1])
