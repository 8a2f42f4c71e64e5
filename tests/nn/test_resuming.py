"""Blocks of every form come back as they were."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from harness.nn.resuming import forget, resumed

CHANCE = np.random.default_rng(0)
ROWS = [range(0, 3), range(3, 5)]


def dense(rows: range) -> np.ndarray:
    return CHANCE.normal(size=(len(rows), 4)).astype(np.float32)


def sparse(rows: range) -> sp.csr_array:
    return sp.csr_array(sp.random_array((len(rows), 9), density=0.3, rng=CHANCE, format="csr", dtype=np.float32))


def tokens(rows: range) -> list[np.ndarray]:
    return [CHANCE.normal(size=(row % 3, 2)).astype(np.float32) for row in rows]


def flat(block: Any) -> list[Any]:
    if isinstance(block, sp.csr_array):
        return [block.shape, block.dtype, block.toarray().tolist(), block.indices.tolist()]
    return [(each.shape, each.dtype, each.tolist()) for each in block]


@pytest.mark.parametrize("make", [dense, sparse, tokens])
def test_every_form_comes_back(make: Any, tmp_path: Path) -> None:
    first = [flat(block) for block in resumed(tmp_path / "blocks", ROWS, make)]
    again = [flat(block) for block in resumed(tmp_path / "blocks", ROWS, lambda rows: pytest.fail("made again"))]
    assert again == first
    forget(tmp_path / "blocks")
    assert list(tmp_path.iterdir()) == []


def test_another_form_is_made_again(tmp_path: Path) -> None:
    made: list[range] = []
    for _ in range(2):
        assert list(resumed(tmp_path, ROWS, lambda rows: made.append(rows) or {"codes": rows})) == [
            {"codes": rows} for rows in ROWS
        ]
    assert made == ROWS * 2
