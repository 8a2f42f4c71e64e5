"""Blocks of embeddings, each kept in a file as soon as it is made: an indexing that was stopped goes on there.

Several processes may make the blocks of one folder, on one machine or on several that have it in common: each locks the
block that it makes.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import scipy.sparse as sp

Arrays = Mapping[str, np.ndarray]
Make = Callable[[range], Any]
"""Rows → the embeddings of these documents."""

POLL_SECONDS = 0.1


def resumed(folder: Path, blocks: Sequence[range], make: Make) -> Iterator[Any]:
    """The blocks in order: those that lie in the folder are read, the others are made and put there.

    What is read is what was made, to the last bit. A form of embeddings that isn't known here is always made. While
    another process makes the block that comes next, a later one is made here.

    Args:
        folder: of the same model, options and documents each time; made if it isn't there, `forget` removes it.
        blocks: rows of each block.
        make: makes one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for place, rows in enumerate(blocks):
        while (block := _block_of(folder, rows, make)) is None:
            if not any(_made(folder, later, make) for later in blocks[place + 1 :]):
                time.sleep(POLL_SECONDS)
        yield block


def assist(folder: Path, blocks: Sequence[range], make: Make) -> int:
    """Make blocks for the process that wants them all, from the last one on, while its folder is there; how many."""
    return sum(_made(folder, rows, make) for rows in reversed(blocks))


def _block_of(folder: Path, rows: range, make: Make) -> Any:
    """The block, read or made; None while another process makes it."""
    file = _file(folder, rows)
    if (block := _read(file)) is not None:
        return block
    with _locked(file) as mine:
        if mine and (block := _read(file)) is None:
            block = make(rows)
            _write(file, _arrays(block))
    return block


def _made(folder: Path, rows: range, make: Make) -> bool:
    """Whether the block was made just now: it wasn't there, and nobody else is at it."""
    file = _file(folder, rows)
    if file.exists() or not folder.is_dir():
        return False
    try:
        with _locked(file) as mine:
            if not mine or file.exists():
                return False
            arrays = _arrays(make(rows))
            _write(file, arrays)
            return arrays is not None
    except FileNotFoundError:  # all were made meanwhile, and the folder is gone
        return False


def _file(folder: Path, rows: range) -> Path:
    return folder / f"{rows.start}-{rows.stop}.npz"


@contextmanager
def _locked(file: Path) -> Generator[bool, None, None]:
    """Whether the block is this process's to make while the block runs; a process that ends gives it up."""
    with file.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


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
