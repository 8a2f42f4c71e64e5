"""Texts through a model: read ahead, computed in batches of as many tokens, copied back one batch behind."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from harness.ahead import ahead
from harness.contracts import Role
from harness.nn.batches import Fitting, batches, guesses
from harness.nn.beside import beside
from harness.nn.reading import Chunk, features, placed

CHUNK = 1 << 15
"""Tokens that are read at once, at least."""
CHUNK_BATCHES = 4
"""Batches that are read at once, at least."""
UNPADDED = 1 << 18
"""Tokens a batch of a model that pads nothing."""

Tensors = tuple[Any, ...]
Arrays = tuple[np.ndarray, ...]


def passed(
    model: Any,
    texts: Sequence[str],
    role: Role,
    *,
    budget: int,
    outputs: Callable[[dict[str, Any]], Tensors],
    threads: int = 1,
) -> Iterator[tuple[list[int], Arrays]]:
    """Places of a batch's texts, and what the model makes of them, until every text has had its turn.

    The same texts always come in the same batches.

    Args:
        model: a sentence-transformers model.
        texts: different texts.
        role: what they are.
        budget: tokens in a batch, padding included.
        outputs: which tensors are wanted, out of what the last module gives; one row a text.
        threads: on a CPU, how many batches are computed at the same time, each by one thread: none waits for another
            after each product, as those of one batch do.

    Raises:
        DeviceError: a single text doesn't fit into the device's memory.
    """
    batched = _Batched(model, texts, role, budget)
    fit = Fitting(batched.lengths)

    def compute(batch: _Batch) -> list[tuple[list[int], Tensors]]:
        return fit(batch.places, lambda part: outputs(model(placed(batch.features(part), model.device), task=role)))

    planned = batched.planned()
    return _copied(chain.from_iterable(beside(compute, planned, threads) if threads > 1 else map(compute, planned)))


class _Batch(NamedTuple):
    """Texts that are computed together, unless that is too much."""

    places: list[int]
    """Where among the texts they stand, longest first."""
    features: Callable[[list[int]], dict[str, Any]]
    """What the model reads of those at some of these places."""


class _Batched:
    """Texts in batches, planned while they are read."""

    def __init__(self, model: Any, texts: Sequence[str], role: Role, budget: int) -> None:
        self._model, self._texts, self._budget = model, texts, budget
        self._role: Role = role
        self.lengths: dict[int, float] = {}
        """Tokens of each text that is part of a batch by now."""

    def planned(self) -> Iterator[_Batch]:
        """One batch after the other, that with the longest texts first."""
        cut = Chunk.of(features(self._model, ["a", "b c"], self._role)) is not None
        guessed = guesses(self._texts, self._model.max_seq_length or float("inf"))
        chunks = batches(guessed, max(CHUNK, CHUNK_BATCHES * self._budget) if cut else self._uncut)
        for places, read in zip(chunks, ahead(self._features, chunks, threads=1), strict=True):
            chunk = Chunk.of(read) if cut else None
            lengths = chunk.lengths if chunk else [guessed[place] for place in places]
            self.lengths.update(zip(places, lengths, strict=True))
            its = _cut(places, chunk) if chunk else self._whole(places, read)
            for part in batches(lengths, self._budget) if cut else [range(len(lengths))]:
                yield _Batch([places[row] for row in part], its)

    def _whole(self, places: list[int], read: dict[str, Any]) -> Callable[[list[int]], dict[str, Any]]:
        """Reads all of what can't be cut, or some of it anew."""
        return lambda wanted: dict(read) if wanted == places else self._features(wanted)

    def _features(self, places: list[int]) -> dict[str, Any]:
        return features(self._model, [self._texts[place] for place in places], self._role)

    @property
    def _uncut(self) -> int:
        """Tokens a batch where a chunk can't be cut into several."""
        return UNPADDED if self._model.transformers_model is None else self._budget


def _cut(places: list[int], chunk: Chunk) -> Callable[[list[int]], dict[str, Any]]:
    """Reads some of the texts of a chunk, which stand at these places."""
    row = {place: row for row, place in enumerate(places)}
    return lambda wanted: chunk.part([row[place] for place in wanted])


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
