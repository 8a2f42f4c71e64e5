"""Gradient cache: the gradient of a loss over many texts in the memory of a few.

A loss over in-batch candidates needs all representations at once, but not all activations. So they are computed
chunk by chunk without a graph; the loss gives the gradient at each representation; a second pass, chunk by chunk with a
graph, carries these gradients into the encoder. The result is the plain gradient, for one more forward pass.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from harness.errors import ContractError
from harness.nn.training.moment import Moment

TOLERANCE = 0.01
"""Largest relative difference between the two passes; more means that `encode` isn't the same function in both."""
TINY = 1e-6
"""The same where the representations are zeros."""


@dataclass(frozen=True)
class _Chunk:
    """What the second pass needs."""

    inputs: tuple[Any, ...]
    moment: Moment
    first: list[Tensor]
    """Representations of the first pass: leaves, at which the loss leaves gradients."""


class GradientCache:
    """Encodes in chunks; `backward` carries gradients from the representations into the encoder.

    With a training stage:

        cache = GradientCache(encode, chunk=8)
        Stage(loss=lambda texts, step: loss_of(cache(texts)), after_backward=cache.backward, ...)

    Source: Gao et al., RepL4NLP 2021 (arXiv:2101.06983), section 3.2.
    Differs: the second pass also repeats the autocast state, not only that of the random generators.
    """

    def __init__(self, encode: Callable[..., Any], chunk: int = 1) -> None:
        """Nothing is encoded yet.

        Args:
            encode: some inputs, and whatever more the call is given → a tensor with a row an input, or a (named) tuple
                of such. Its chance comes from torch's generators; it depends on nothing that changes before `backward`.
            chunk: inputs encoded at once.
        """
        self._encode, self._chunk = encode, chunk
        self._chunks: list[_Chunk] = []

    def __call__(self, inputs: Any, *more: Any) -> Tensor:
        """The representations of all inputs, one tensor.

        Args:
            inputs: a sequence or tensor, sliced into chunks.
            more: given to `encode` with each chunk.
        """
        slices = [inputs[start : start + self._chunk] for start in range(0, len(inputs), self._chunk)]
        return torch.cat(self.parts(slices, *more))

    def parts(self, chunks: Sequence[Any], *more: Any) -> list[Any]:
        """The representations of each chunk, as `encode` gives them, for chunks made by the caller.

        Raises:
            ContractError: gradients of an earlier call were never carried on.
        """
        if any(tensor.grad is not None for chunk in self._chunks for tensor in chunk.first):
            raise ContractError(
                "representations of an earlier batch hold gradients that never reached their encoder; "
                "call GradientCache.backward after the loss's backward, for instance as Stage.after_backward"
            )
        return [self._first((chunk, *more)) for chunk in chunks]

    def backward(self) -> None:
        """The second pass: add to the encoder's gradients; to be called once the loss's own backward is done.

        Raises:
            ContractError: `encode` gives something else than in the first pass.
        """
        chunks, self._chunks = self._chunks, []
        for chunk in chunks:
            gradients = [tensor.grad for tensor in chunk.first]
            if any(gradient is not None for gradient in gradients):
                with chunk.moment.again():
                    second = _learning(self._encode(*chunk.inputs))
                _same(chunk.first, second)
                used = [(t, g) for t, g in zip(second, gradients, strict=True) if g is not None and t.requires_grad]
                torch.autograd.backward([tensor for tensor, _ in used], [gradient for _, gradient in used])

    def _first(self, inputs: tuple[Any, ...]) -> Any:
        if not torch.is_grad_enabled():
            return self._encode(*inputs)
        moment, first = Moment.now(), list[Tensor]()
        with torch.no_grad():
            found = self._encode(*inputs)
        # Older torch uses autocast's copies of weights from this pass again, though without a graph (pytorch#158232).
        torch.clear_autocast_cache()
        representations = _leaves(found, first)
        self._chunks.append(_Chunk(inputs, moment, first))
        return representations


def _leaves(found: Any, learning: list[Tensor]) -> Any:
    """The same, its floating-point tensors as leaves that want gradients, which are also added to `learning`."""
    if isinstance(found, tuple):
        parts = [_leaves(part, learning) for part in found]
        return type(found)(*parts) if hasattr(found, "_fields") else tuple(parts)
    if isinstance(found, Tensor) and found.is_floating_point():
        learning.append(found.detach().requires_grad_())
        return learning[-1]
    return found


def _learning(found: Any) -> list[Tensor]:
    """The floating-point tensors, in the order of `_leaves`."""
    if isinstance(found, tuple):
        return [tensor for part in found for tensor in _learning(part)]
    return [found] if isinstance(found, Tensor) and found.is_floating_point() else []


def _same(first: Sequence[Tensor], second: Sequence[Tensor]) -> None:
    for before, after in zip(first, second, strict=True):
        difference = (after.detach().float() - before.detach().float()).norm()
        if bool(difference > TOLERANCE * before.detach().float().norm() + TINY):  # NaN is the loss's to report
            raise ContractError(
                f"the second pass gives other representations than the first (they differ by {float(difference):.3g}); "
                "expected an encode whose chance comes from torch's generators and that depends on nothing else"
            )
