"""The largest logits of a vocabulary, against plain torch that holds them all."""

import pytest
import torch

from harness.nn.students import pooled
from harness.nn.students.pooled import max_logits


@pytest.mark.parametrize("tile", [1, 7, 64, 1 << 10])
@pytest.mark.parametrize(("texts", "tokens", "terms"), [(1, 1, 3), (9, 5, 130), (3, 40, 70)])
def test_values_and_gradients_are_those_of_all_logits(
    monkeypatch: pytest.MonkeyPatch, tile: int, texts: int, tokens: int, terms: int
):
    monkeypatch.setattr(pooled, "TILE", tile)
    torch.manual_seed(texts)
    hidden = torch.randn(texts, tokens, 8, requires_grad=True)
    weight, bias = torch.randn(terms, 8, requires_grad=True), torch.randn(terms, requires_grad=True)
    mask = torch.rand(texts, tokens) > 0.3
    mask[:, 0] = True
    chosen = torch.randn(texts, terms).relu()

    plain = (hidden @ weight.T).masked_fill(~mask.unsqueeze(2), -torch.inf).amax(1) + bias
    expected = torch.autograd.grad((plain * chosen).sum(), (hidden, weight, bias))
    ours = max_logits(hidden, weight, bias, mask)
    found = torch.autograd.grad((ours * chosen).sum(), (hidden, weight, bias))

    torch.testing.assert_close(ours, plain)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
