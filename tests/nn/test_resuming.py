"""Blocks of every form come back as they were."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from harness.nn.resuming import assist, forget, resumed

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


def test_two_make_each_block_once_and_the_order_stays(tmp_path: Path) -> None:
    rows = [range(start, start + 2) for start in range(0, 40, 2)]
    made: list[tuple[str, range]] = []

    def by(name: str) -> Any:
        def make(block: range) -> np.ndarray:
            made.append((name, block))
            time.sleep(0.02)
            return np.full((2, 3), block.start, np.float32)

        return make

    folder = tmp_path / "blocks"
    with ThreadPoolExecutor(1) as thread:
        blocks = resumed(folder, rows, by("owner"))
        first = next(blocks)
        helped = thread.submit(assist, folder, rows, by("helper"))
        whole = [first, *blocks]
    assert [block[0, 0] for block in whole] == [block.start for block in rows]
    assert sorted(block.start for _, block in made) == [block.start for block in rows]
    assert helped.result() == sum(name == "helper" for name, _ in made) > 3


def test_a_block_whose_maker_was_stopped_is_made_by_who_wants_it(tmp_path: Path) -> None:
    def stop(_: range) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(resumed(tmp_path, ROWS, stop))
    assert [len(block) for block in resumed(tmp_path, ROWS, dense)] == [3, 2]


def test_who_comes_late_makes_nothing(tmp_path: Path) -> None:
    list(resumed(tmp_path / "blocks", ROWS, dense))
    assert assist(tmp_path / "blocks", ROWS, lambda rows: pytest.fail("made again")) == 0
    forget(tmp_path / "blocks")
    assert assist(tmp_path / "blocks", ROWS, dense) == 0
    assert list(tmp_path.iterdir()) == []
