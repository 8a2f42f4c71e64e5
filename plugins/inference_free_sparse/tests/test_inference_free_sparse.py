"""The card's behaviour checks: queries without a model, IDF, the teacher's scale, the penalty, and learning."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from harness_inference_free_sparse import CARD, Config
from harness_inference_free_sparse.idf import table
from harness_inference_free_sparse.method import InferenceFreeSparse, min_max

from harness.card import Use
from harness.config import parse
from harness.contracts import Context, Role
from harness.data.corpus import build_corpus
from harness.index.inverted import InvertedIndex
from harness.nn.encoders import SparseEncoder
from harness.nn.loading import load
from harness.nn.losses import flops, grouped_flops
from harness.nn.retriever import EmbeddingRetriever
from harness.plugins import registry
from harness.records import Document, Query
from harness.testing import DistillerContract
from harness.testing.topics import TopicTeacher, context, learnt, lesson
from harness.testing.views import gradient, view

KNOBS: dict[str, Any] = {
    "steps": 25,
    "documents": 6,
    "last_rank": 30,
    "batch": 16,
    "learning_rate": 5e-4,
    "max_length": 16,
}


class TestContract(DistillerContract):
    plugin = "inference-free-sparse"
    options = {"steps": "3", "documents": "3", "last_rank": "10", "batch": "4", "max_length": "32"}  # noqa: RUF012

    @pytest.fixture
    def student(self, small_splade: str) -> str:
        return small_splade


def method(folder: Path, **knobs: Any) -> InferenceFreeSparse:
    return InferenceFreeSparse(Config(**(KNOBS | knobs)), context(folder))


Taught = Callable[..., tuple[float, float]]


@pytest.fixture(scope="module")
def taught(small_splade: str, tmp_path_factory: pytest.TempPathFactory) -> Taught:
    """Train; what was learnt, and the terms a document has."""

    def train(teacher: Any, **knobs: Any) -> tuple[float, float]:
        folder = tmp_path_factory.mktemp("taught")
        found = learnt(method(folder, **knobs), lesson(small_splade, teacher, folder))
        told = json.loads((folder / "work" / "training" / "record.json").read_text())
        return found, told["sparsity"]["document_terms"]

    return train


@pytest.fixture(scope="module")
def honest(taught: Taught) -> tuple[float, float]:
    return taught(TopicTeacher())


def test_idf_by_hand(tmp_path: Path):
    texts = ("a b b", "a c", "a")
    corpus = build_corpus([Document(id=str(n), text=text) for n, text in enumerate(texts)], tmp_path)

    def tokenizer(given: Sequence[str], **_: Any) -> dict[str, list[list[int]]]:
        return {"input_ids": [["abcd".index(letter) for letter in text.split()] for text in given]}

    ratios = [1 + 0.5 / 3.5, 1 + 2.5 / 1.5, 1 + 2.5 / 1.5, 1 + 3.5 / 0.5]
    assert table(corpus, tokenizer, 4).tolist() == pytest.approx(np.log(ratios).tolist())


def test_a_query_is_the_table_at_its_tokens_and_takes_no_forward_pass(small_splade: str, tmp_path: Path):
    given = lesson(small_splade, None, tmp_path)
    student = method(tmp_path).student(given)
    calls: list[int] = []
    student.language_model.base_model.register_forward_hook(lambda *_: calls.append(1))
    (found,) = student.embed(["a violin on the violin"], "query")
    ids = sorted(student.tokenizer.convert_tokens_to_ids(["a", "violin", "on", "the"]))
    idf = table(given.corpus, student.tokenizer, student.vocabulary)
    assert found.nonzero().flatten().tolist() == ids
    assert torch.equal(found[ids], idf[ids])
    retriever = student.retriever()
    retriever.index(given.corpus)
    asked = len(calls)
    retriever.search([Query(id="q", text="violin")], 3)
    assert len(calls) == asked > 0
    assert set(method(tmp_path, idf=False).student(given).table.tolist()) == {0.0, 1.0}


def test_the_index_scores_as_the_vectors_do(small_splade: str, tmp_path: Path):
    given = lesson(small_splade, None, tmp_path)
    student = method(tmp_path).student(given)
    texts = ["history of the glacier", "a spider", "why"]
    exact = student.embed(texts, "query") @ student.embed(given.corpus.contents(), "document").T
    retriever = student.retriever()
    retriever.index(given.corpus)
    run = retriever.search([Query(id=text, text=text) for text in texts], len(given.corpus))
    scores = np.zeros(exact.shape, np.float32)
    for line, (rows, found) in enumerate(zip(run.rows, run.scores, strict=True)):
        scores[line, rows[rows >= 0]] = found[rows >= 0]
    assert scores == pytest.approx(exact.detach().numpy(), abs=1e-4)


class Counts:
    """Queries as the student's, documents by how often they have a token."""

    def __init__(self, student: Any) -> None:
        self.student, self.parameters = student, 0

    def __call__(self, texts: Sequence[str], role: Role) -> sp.csr_array:
        if role == "query":
            return sp.csr_array(self.student.embed(texts, "query").detach().numpy())
        rows = [self.student.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        return sp.csr_array(np.stack([np.bincount(ids, minlength=self.student.vocabulary) for ids in rows]), dtype="f4")


def test_with_counts_as_weights_it_is_tf_idf(small_splade: str, tmp_path: Path):
    texts = ("spider spider on the glacier", "the glacier", "the spider on the on the on", "a volcano on the glacier")
    documents = [Document(id=str(row), text=text) for row, text in enumerate(texts)]
    given = dataclasses.replace(lesson(small_splade, None, tmp_path), corpus=build_corpus(documents, tmp_path / "tf"))
    retriever = EmbeddingRetriever(Counts(method(tmp_path).student(given)), InvertedIndex, tmp_path)
    retriever.index(given.corpus)
    run = retriever.search([Query(id="q", text="the spider on")], 4)

    def score(text: str) -> float:
        words = [other.split() for other in texts]
        held = {word: sum(word in other for other in words) for word in ("the", "spider", "on")}
        return sum(text.split().count(word) * np.log(1 + (4 - n + 0.5) / (n + 0.5)) for word, n in held.items())

    scores = sorted(((score(text), row) for row, text in enumerate(texts)), reverse=True)
    assert run.rows[0].tolist() == [row for _, row in scores]
    assert run.scores[0].tolist() == pytest.approx([value for value, _ in scores], rel=1e-5)


def test_min_max_by_hand():
    given = torch.tensor([[3.0, 1.0, 2.0], [5.0, 5.0, 5.0]])
    assert min_max(given).tolist() == [[1.0, 0.0, 0.5], [0.0, 0.0, 0.0]]


def test_ranking_by_hand():
    # The teacher's list scales to 1 and 0, times 2: softmax is σ(2), σ(-2); the student's is σ(1), σ(-1).
    of = view([[2.0, 1.0]], [[70.0, 20.0]])
    p, s = 1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-1))
    expected = p * np.log(p / s) + (1 - p) * np.log((1 - p) / (1 - s))
    loss = method(Path("unused"), scale=2.0).ranking
    assert loss(of).item() == pytest.approx(expected, rel=1e-5)
    assert method(Path("unused"), scale=2.0, normalise="none").ranking(view([[2.0, 1.0]], [[1.0, 0.0]])).item() == (
        pytest.approx(expected, rel=1e-5)
    )


class Written:
    """A teacher that answers a x + b of what is written down."""

    def __init__(self, scores: dict[str, float], a: float = 1.0, b: float = 0.0) -> None:
        self.scores, self.a, self.b = scores, a, b
        self.identity = f"{scores}{a}{b}"

    def score(self, pairs: list[tuple[Query, Document]]) -> np.ndarray:
        return np.array([self.a * self.scores[document.id] + self.b for _, document in pairs], np.float32)


def test_the_ensemble_knows_no_scale_and_no_order(tmp_path: Path):
    card, _ = registry().find("ensemble", "teacher")
    pairs = [(Query(id="q", text=""), Document(id=name, text="")) for name in "abc"]

    def asked(*teachers: Written) -> np.ndarray:
        uses = tuple(Use("teacher", str(place), None) for place in range(len(teachers)))
        own = Context(folder=tmp_path, build=lambda use: teachers[int(use.name)])
        return card.load()(card.config(parts=uses, method="min-max"), own).score(pairs)

    dense, sparse = {"a": 0.9, "b": 0.8, "c": 0.5}, {"a": 10.0, "b": 30.0, "c": 0.0}
    expected = [(1 + 1 / 3) / 2, (0.75 + 1) / 2, 0]
    assert asked(Written(dense), Written(sparse)).tolist() == pytest.approx(expected, abs=1e-6)
    assert asked(Written(sparse), Written(dense)).tolist() == pytest.approx(expected, abs=1e-6)
    assert asked(Written(dense, 7.0, -2.0), Written(sparse, 0.1, 5.0)).tolist() == pytest.approx(expected, abs=1e-6)


def test_the_loss_knows_no_scale_of_a_teacher():
    loss = method(Path("unused")).ranking
    student, teacher = [[2.0, 1.0, 0.3]], [[3.0, 0.5, 1.0]]
    value = loss(view(student, teacher)).item()
    assert loss(view(student, [[4 * score - 9 for score in teacher[0]]])).item() == pytest.approx(value, rel=1e-4)


def test_groups_are_averaged_apart():
    documents = torch.tensor([[[1.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [0.0, 0.0]]])
    assert grouped_flops(documents).item() == pytest.approx(2**2 + 1**2)
    assert flops(documents.flatten(0, 1)).item() == pytest.approx(1**2 + 0.5**2)
    twice = torch.cat([documents, documents])
    assert grouped_flops(twice).item() == pytest.approx(grouped_flops(documents).item())
    other = torch.cat([documents, documents[:, 1:]], dim=1)  # a further column is a further group
    assert grouped_flops(other).item() == pytest.approx(2**2 + 2 * 1**2)


def test_the_penalty_is_blind_to_idf_and_the_ranking_loss_is_not():
    """dL/dd_j = dL_rank/ds · idf_j + λ dFLOPS/dd_j, and the penalty's weight rises quadratically."""
    idf, weights = torch.tensor([[5.0, 0.5]]), torch.tensor([[[1.0, 1.0], [0.2, 0.2]]])

    def gradients(step: int, lambda_d: float) -> torch.Tensor:
        documents = weights.clone().requires_grad_()
        of = view([[0.0, 0.0]], [[9.0, 1.0]], query_vectors=idf, document_vectors=documents, step=step)
        method(Path("unused"), lambda_d=lambda_d, ramp=0.5).loss(20)(of).backward()
        assert documents.grad is not None
        return documents.grad

    ranked, penalty = gradients(10, 0.0), 2 * weights * 0.5
    assert ranked[0, :, 0].tolist() == pytest.approx((10 * ranked[0, :, 1]).tolist(), rel=1e-4)
    torch.testing.assert_close(gradients(10, 0.5), ranked + penalty)
    torch.testing.assert_close(gradients(5, 0.5), ranked + penalty / 4)
    of = view([[1.0, 1.0]], [[5.0, 5.0]])
    method(Path("unused"), lambda_d=0.0).loss(20)(of).backward()
    assert gradient(of)[0] == pytest.approx([0, 0], abs=1e-7)  # nobody is better: no list, no order


def test_learns_from_the_teacher_and_nothing_from_a_permuted_one(honest: tuple[float, float], taught: Taught):
    assert honest[0] > 0.8
    assert taught(TopicTeacher(permuted=True))[0] < honest[0] - 0.3


def test_the_higher_lambda_the_sparser(honest: tuple[float, float], taught: Taught):
    found = [taught(TopicTeacher(), lambda_d=0.0), honest, taught(TopicTeacher(), lambda_d=2.0)]
    terms = [each for _, each in found]
    assert terms == sorted(set(terms), reverse=True)
    assert found[2][0] < honest[0]


def test_idf_protects_rare_terms_from_the_penalty(taught: Taught):
    """Under one penalty that prunes hard, the words that tell topics apart stay with IDF and go without it."""
    (with_idf, terms), (without, fewer) = (taught(TopicTeacher(), lambda_d=0.5, idf=idf) for idf in (True, False))
    assert with_idf > without + 0.05
    assert terms > fewer


def test_a_learnt_table_moves_and_a_fixed_one_does_not(small_splade: str, tmp_path: Path):
    """What is saved is an ordinary SparseEncoder, whose table is that of the queries."""

    def saved(name: str, **knobs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        given = lesson(small_splade, TopicTeacher(), tmp_path / name)
        distiller = method(tmp_path / name, **(knobs | {"steps": 3}))
        before = distiller.student(given).table.detach().clone()
        distiller.distil(given)
        model = load("sparse", str(tmp_path / name / "work" / "training" / "student"), context(tmp_path / name))
        assert SparseEncoder(model)(["a lemon"], "query").nnz == 2
        return before, model[0].sub_modules["query"][0].weight.detach()

    assert torch.equal(*saved("fixed"))
    before, after = saved("learnt", idf_rate=1000.0)
    assert not torch.allclose(before, after)
    assert bool((after >= 0).all())


def test_twice_is_kept_in_the_checkpoint(small_splade: str, tmp_path: Path):
    given = lesson(small_splade, None, tmp_path)
    once, twice = (method(tmp_path, twice=value).student(given) for value in (False, True))
    expected = once.embed(["a lemon"], "document").log1p()
    torch.testing.assert_close(twice.embed(["a lemon"], "document"), expected)
    twice.save(tmp_path / "saved")
    encoder = SparseEncoder(load("sparse", str(tmp_path / "saved"), context(tmp_path)))
    assert encoder(["a lemon"], "document").toarray() == pytest.approx(expected.detach().numpy(), abs=1e-5)


def test_presets_can_be_read():
    found = {name: parse(registry(), CARD, {"preset": name}) for name in CARD.presets}
    assert found["ensemble"].normalise == "none"
    assert (found["pre-training"].scale, found["fine-tuning"].scale) == (10, 30)
    assert found["pre-training"].lambda_d < found["fine-tuning"].lambda_d
