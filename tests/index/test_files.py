"""Arrays written in blocks are read whole, and nothing damaged is read at all."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.errors import DataError
from harness.index import files

BLOCKS = (
    {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([1], np.int32)},
    {"a": np.zeros((0, 3), np.float32), "b": np.array([2, 3], np.int32)},
    {"a": np.arange(6, 9, dtype=np.float32).reshape(1, 3)[:, ::-1], "b": np.array([4], np.int32)},
)


@pytest.fixture
def written(corpus_of: Callable, new_folder: Callable[[], Path]) -> tuple[Path, object]:
    corpus, folder = corpus_of(["x", "y"]), new_folder()
    files.write(folder, "kind", corpus, iter(BLOCKS))
    return folder, corpus


def test_blocks_are_joined(written: tuple) -> None:
    arrays = files.read(written[0], "kind", written[1])
    assert arrays["a"].tolist() == [[0, 1, 2], [3, 4, 5], [8, 7, 6]]
    assert arrays["b"].tolist() == [1, 2, 3, 4]
    assert isinstance(arrays["a"], np.memmap)


def test_a_copy_is_the_same(written: tuple, new_folder: Callable[[], Path]) -> None:
    target = new_folder()
    files.copy(written[0], target)
    for path in written[0].iterdir():
        path.unlink()
    assert files.read(target, "kind", written[1])["b"].tolist() == [1, 2, 3, 4]


def test_an_empty_array_is_read_back(corpus_of: Callable, new_folder: Callable[[], Path]) -> None:
    corpus, folder = corpus_of(["x"]), new_folder()
    files.write(folder, "kind", corpus, [{"a": np.zeros((0, 4), np.float32)}])
    assert files.read(folder, "kind", corpus)["a"].shape == (0, 4)


def cut(folder: Path) -> None:
    (folder / "a.bin").write_bytes((folder / "a.bin").read_bytes()[:-4])


def lose(folder: Path) -> None:
    (folder / "b.bin").unlink()


def half_a_header(folder: Path) -> None:
    (folder / files.HEADER).write_text((folder / files.HEADER).read_text()[:20])


def no_header(folder: Path) -> None:
    (folder / files.HEADER).unlink()


def no_arrays(folder: Path) -> None:
    (folder / files.HEADER).write_text("[]")


def odd_type(folder: Path) -> None:
    header = json.loads((folder / files.HEADER).read_text())
    header["arrays"]["a"]["dtype"] = "float31"
    (folder / files.HEADER).write_text(json.dumps(header))


@pytest.mark.parametrize("damage", [cut, lose, half_a_header, no_header, no_arrays, odd_type])
def test_damage_is_refused(written: tuple, damage: Callable[[Path], None]) -> None:
    damage(written[0])
    with pytest.raises(DataError, match="index again"):
        files.read(written[0], "kind", written[1])


def test_another_corpus_or_kind_is_refused(written: tuple, corpus_of: Callable) -> None:
    with pytest.raises(DataError, match="corpus"):
        files.read(written[0], "kind", corpus_of(["x", "z"]))
    with pytest.raises(DataError, match="kind"):
        files.read(written[0], "other", written[1])
