from importlib.util import find_spec

import pytest

from harness.errors import DeviceError
from harness.nn.batches import batches, encode

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")


def test_batches_by_hand() -> None:
    # Longest first: 9 alone (two would be 18), then 5 + 5 = 10, then 4 and 1: 2 · 4 = 8.
    assert batches([5, 1, 9, 5, 4], 10) == [[2], [0, 3], [4, 1]]
    assert batches([50], 10) == [[0]]
    assert batches([], 10) == []


def test_order_is_kept_and_equal_texts_are_encoded_once() -> None:
    asked: list[str] = []
    sizes: list[int] = []

    def embed(batch: list[str]) -> list[str]:
        asked.extend(batch)
        sizes.append(len(batch))
        return [text.upper() for text in batch]

    texts = ["a", "bbbb" * 9, "a", "", "cc", "a"]
    assert encode(texts, embed, limit=512, budget=12) == [text.upper() for text in texts]
    assert sorted(asked) == ["", "a", "bbbb" * 9, "cc"]
    assert sizes == [1, 3]  # 36 / 4 + 2 = 11 tokens fill the budget; the others are guessed at 2.5, 2.25 and 2


def test_length_is_cut_at_the_limit() -> None:
    asked: list[int] = []
    encode(["x" * n for n in (400, 800, 1200)], lambda batch: asked.append(len(batch)) or batch, limit=10, budget=30)
    assert asked == [3]  # three of 10 tokens each, however long they are


@pytest.mark.parametrize("fits", [1, 2, 3, 8])
def test_a_batch_that_does_not_fit_is_halved(fits: int) -> None:
    import torch

    def embed(batch: list[str]) -> list[str]:
        if len(batch) > fits:
            raise torch.OutOfMemoryError
        return batch

    texts = [str(number) for number in range(8)]
    assert encode(texts, embed, limit=512, budget=1000) == texts


def test_after_one_batch_that_does_not_fit_the_others_are_smaller() -> None:
    import torch

    sizes: list[int] = []

    def embed(batch: list[str]) -> list[str]:
        sizes.append(len(batch))
        if len(batch) > 2:
            raise torch.OutOfMemoryError
        return batch

    texts = [f"{number:020}" for number in range(16)]  # 7 tokens each, by the guess
    assert encode(texts, embed, limit=512, budget=28) == texts
    assert sizes == [4, 2, 2, 2, 2, 2, 2, 2, 2]  # only the first four are tried together


def test_a_text_that_does_not_fit_is_an_error() -> None:
    import torch

    def embed(batch: list[str]) -> list[str]:
        raise torch.OutOfMemoryError

    with pytest.raises(DeviceError, match="3 tokens"):
        encode(["abc"], embed, limit=512, budget=10)
