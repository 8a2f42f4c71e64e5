"""Texts of one step in parts: tokenised once, told apart by their real lengths; the sum over a batch stays the same."""

from pathlib import Path

import pytest
import torch

from harness.contracts import Context
from harness.nn.students import DenseStudent, LateStudent, PairStudent, SparseStudent
from harness.nn.students import parts as parts_of

TEXTS = ["a b", "c d e f g h", "a", "b c d", "a b", "h g f e d c b a", "e", "c c c c"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of at most a dozen tokens."""
    monkeypatch.setattr(parts_of, "TOKENS", 12)


def counted(student) -> list[int]:
    """How many texts each call of the model's tokeniser is given from now on."""
    calls: list[int] = []
    inner = student.model.preprocess

    def count(texts, *more, **named):
        calls.append(len(texts))
        return inner(texts, *more, **named)

    student.model.preprocess = count
    return calls


def test_texts_are_tokenised_once_and_cut_by_their_tokens(tiny_dense: Path, context: Context, small: None) -> None:
    student = DenseStudent(str(tiny_dense), context, 16)
    calls, forward, read = counted(student), student.forward, []

    def noted(texts, role):
        read.append((tuple(texts), tuple(student.features(texts, role)["input_ids"].shape)))
        return forward(texts, role)

    student.forward = noted
    student.embed(TEXTS, "document")
    assert calls == [7]  # "a b" comes twice
    assert [text for part, _ in read for text in part] == sorted(dict.fromkeys(TEXTS), key=lambda text: -len(text))
    assert len(read) > 2
    for part, (texts, columns) in read:
        assert texts == len(part)
        assert columns == max(len(text.split()) for text in part) + 2  # letters, [CLS] and [SEP]


@pytest.mark.parametrize("kind", [DenseStudent, SparseStudent, LateStudent])
@pytest.mark.parametrize("chunk", [0, 2])
def test_parts_change_neither_embeddings_nor_gradients(
    kind: type, chunk: int, tiny_bert: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = kind(str(tiny_bert), context, 16)
    student.model.eval()
    carry = student.cached(chunk) if chunk else lambda: None

    def found(tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
        monkeypatch.setattr(parts_of, "TOKENS", tokens)
        student.model.zero_grad()
        queries, documents = student.embed(TEXTS[:4], "query"), student.embed(TEXTS, "document")
        scores = student.matrix(queries, documents)
        scores.pow(2).sum().backward()
        carry()
        gradients = [parameter.grad.flatten() for parameter in student.model.parameters() if parameter.grad is not None]
        return scores.detach(), torch.cat(gradients)

    (cut, cut_gradient), (whole, whole_gradient) = found(12), found(10_000)
    assert torch.allclose(cut, whole, rtol=1e-5, atol=1e-5)
    assert float((cut_gradient - whole_gradient).norm() / whole_gradient.norm()) < 1e-5


def test_pairs_in_parts_score_as_they_do_alone(tiny_bert: Path, context: Context, small: None) -> None:
    student = PairStudent(str(tiny_bert), context, 24)
    student.model.eval()
    calls, pairs = counted(student), [(text, other) for text in TEXTS[:3] for other in TEXTS]
    scores = student.score(pairs)
    assert calls == [24]
    alone = torch.cat([student.forward([pair]) for pair in pairs])
    assert torch.allclose(scores, alone, rtol=1e-4, atol=1e-5)


def test_chance_is_that_of_the_seed(tiny_dense: Path, context: Context, small: None) -> None:
    student = DenseStudent(str(tiny_dense), context, 16)
    student.model.train()

    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return student.embed(TEXTS, "document")

    assert torch.equal(drawn(0), drawn(0))
    assert not torch.equal(drawn(0), drawn(1))
