"""Texts through a model: read ahead, computed in batches of as many tokens, copied back one batch behind."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from harness.ahead import ahead
from harness.contracts import Role
from harness.nn.batches import batches, fitted, guesses
from harness.nn.reading import Chunk, features, placed

CHUNK = 1 << 15
"""Tokens that are read at once, at least."""
CHUNK_BATCHES = 4
"""Batches that are read at once, at least."""
UNPADDED = 1 << 16
"""Tokens a batch of a model that pads nothing."""

Tensors = tuple[Any, ...]
Arrays = tuple[np.ndarray, ...]


def passed(
    model: Any, texts: Sequence[str], role: Role, *, budget: int, outputs: Callable[[dict[str, Any]], Tensors]
) -> Iterator[tuple[list[int], Arrays]]:
    """Places of a batch's texts, and what the model makes of them, until every text has had its turn.

    The same texts always come in the same batches.

    Args:
        model: a sentence-transformers model.
        texts: different texts.
        role: what they are.
        budget: tokens in a batch, padding included.
        outputs: which tensors are wanted, out of what the last module gives; one row a text.

    Raises:
        DeviceError: a single text doesn't fit into the device's memory.
    """
    batched = _Batched(model, texts, role, budget)

    def embed(batch: list[int]) -> Tensors:
        return outputs(model(placed(batched.features(batch), model.device), task=role))

    return _copied(fitted(batched.planned(), batched.lengths, embed))


class _Batched:
    """Texts in batches, planned while they are read."""

    def __init__(self, model: Any, texts: Sequence[str], role: Role, budget: int) -> None:
        self._model, self._texts, self._budget = model, texts, budget
        self._role: Role = role
        self._places: list[int] = []
        self._read: dict[str, Any] = {}
        self._chunk: Chunk | None = None
        self.lengths: dict[int, float] = {}
        """Tokens of each text that is part of a batch by now."""

    def planned(self) -> Iterator[list[int]]:
        """Places of the texts of one batch after the other, longest first."""
        cut = Chunk.of(features(self._model, ["a", "b c"], self._role)) is not None
        guessed = guesses(self._texts, self._model.max_seq_length or float("inf"))
        chunks = batches(guessed, max(CHUNK, CHUNK_BATCHES * self._budget) if cut else self._uncut)
        for places, read in zip(chunks, ahead(self._features, chunks, threads=1), strict=True):
            self._places, self._read = places, read
            self._chunk = Chunk.of(read) if cut else None
            lengths = self._chunk.lengths if self._chunk else [guessed[place] for place in places]
            self.lengths.update(zip(places, lengths, strict=True))
            parts = batches(lengths, self._budget) if cut else [range(len(lengths))]
            yield from ([places[row] for row in part] for part in parts)

    def features(self, batch: list[int]) -> dict[str, Any]:
        """What the model reads of the texts at these places."""
        if self._chunk:
            row = {place: row for row, place in enumerate(self._places)}
            return self._chunk.part([row[place] for place in batch])
        return dict(self._read) if batch == self._places else self._features(batch)

    def _features(self, places: list[int]) -> dict[str, Any]:
        return features(self._model, [self._texts[place] for place in places], self._role)

    @property
    def _uncut(self) -> int:
        """Tokens a batch where a chunk can't be cut into several."""
        return UNPADDED if self._model.transformers_model is None else self._budget


def _copied(computed: Iterable[tuple[list[int], Tensors]]) -> Iterator[tuple[list[int], Arrays]]:
    """The same in main memory; a GPU has its next batch before the last one is waited for."""
    before: tuple[list[int], Callable[[], Arrays]] | None = None
    for batch, tensors in computed:
        after = batch, _copy(tensors)
        if before:
            yield before[0], before[1]()
        before = after
    if before:
        yield before[0], before[1]()


def _copy(tensors: Tensors) -> Callable[[], Arrays]:
    """Starts copying; what it returns waits until that is done."""
    import torch

    if tensors[0].device.type != "cuda":
        return lambda: tuple(tensor.cpu().numpy() for tensor in tensors)
    copies = [tensor.to("cpu", non_blocking=True) for tensor in tensors]  # to pinned memory
    done = torch.cuda.Event()
    done.record(torch.cuda.current_stream(tensors[0].device))

    def wait() -> Arrays:
        done.synchronize()
        return tuple(copy.numpy() for copy in copies)

    return wait
