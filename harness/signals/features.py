"""Arrays by name of single pairs → arrays by name with one row a pair."""

from collections.abc import Mapping, Sequence

import numpy as np

from harness.errors import SignalError


def stacked(rows: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """One array a name.

    A teacher may pad to the longest pair of a call; rows that it was asked for in several calls are filled up with
    zeros at the ends of their axes.

    Raises:
        SignalError: the rows of a name have several types or numbers of axes.
    """
    return {name: _stack(name, [row[name] for row in rows]) for name in (rows[0] if rows else ())}


def _stack(name: str, rows: Sequence[np.ndarray]) -> np.ndarray:
    if len(kinds := {(row.dtype.str, row.ndim) for row in rows}) > 1:
        raise SignalError(f"the teacher's features {name!r} are of several types or numbers of axes: {sorted(kinds)}")
    shape = np.max([row.shape for row in rows], axis=0) if rows[0].ndim else ()
    found = np.zeros((len(rows), *shape), rows[0].dtype)
    for place, row in enumerate(rows):
        found[(place, *map(slice, row.shape))] = row
    return found
