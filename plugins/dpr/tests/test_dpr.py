"""The card's behaviour checks: the softmax over the batch, what is masked, two towers, and learning from labels."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_dpr import Config
from harness_dpr.method import Dpr
from harness_dpr.towers import TwoTowers
from torch.nn import functional

from harness.config import use
from harness.contracts import Lesson, Retriever
from harness.errors import ConfigError
from harness.nn.recipe import View
from harness.plugins import registry
from harness.testing import DistillerContract
from harness.testing.subject import Subject
from harness.testing.topics import context, learnt, lesson
from harness.testing.views import view

QUICK: dict[str, Any] = {"steps": 30, "documents": 2, "last_rank": 30, "learning_rate": 5e-4, "max_length": 16}
SCORES = [[2.0, 1.0], [0.5, -1.0], [0.0, 3.0]]


class TestContract(DistillerContract):
    plugin = "dpr"
    options = {"steps": "3", "documents": "3", "last_rank": "10", "batch": "4"}  # noqa: RUF012

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


def knobs(**options: Any) -> Config:
    return Config(**(QUICK | options))


def batch(scores: list[list[float]] = SCORES, **other: Any) -> View:
    """Queries that differ, so that the rows of the score matrix do."""
    return view(scores, query_vectors=torch.tensor([[1.0], [-0.5], [2.0]][: len(scores)]), **other)


def loss(of: View, **options: Any) -> torch.Tensor:
    return Dpr(knobs(**({"temperature": 1.0} | options)), context(Path("unused"))).loss(of)


def test_cross_entropy_of_the_whole_matrix_with_labels_on_the_diagonal():
    of = batch()
    matrix = of.query_vectors @ of.document_vectors.flatten(0, 1).T  # 3 × 6: B × 2B
    assert loss(of).item() == pytest.approx(functional.cross_entropy(matrix, torch.tensor([0, 2, 4])).item())
    cooled = functional.cross_entropy(matrix / 0.5, torch.tensor([0, 2, 4]))
    assert loss(of, temperature=0.5).item() == pytest.approx(cooled.item())


def test_by_hand():
    # Query 1 scores 2, 1, 0.5, −1: −log of e² over the sum of e² + e + e^0.5 + e^−1; query 2 scores −0.5 times these.
    first = 2 - np.log(np.exp([2.0, 1.0, 0.5, -1.0]).sum())
    second = -0.25 - np.log(np.exp([-1.0, -0.5, -0.25, 0.5]).sum())
    assert loss(batch(SCORES[:2])).item() == pytest.approx(-(first + second) / 2)


def test_one_pair_alone_costs_nothing():
    assert loss(view([[0.3]])).item() == 0


def test_gradient_at_the_scores():
    of = batch()
    of.all_scores.retain_grad()
    loss(of).backward()
    right = functional.one_hot(torch.tensor([0, 2, 4]), 6)
    expected = (torch.softmax(of.all_scores.detach(), dim=1) - right) / 3
    torch.testing.assert_close(of.all_scores.grad, expected)


def test_a_passage_of_two_questions_is_no_negative_unless_asked_for():
    rows = torch.tensor([[7, 1], [7, 2], [8, 3]])  # the first two have one positive
    relevant = torch.tensor([[1, 0, 1, 0, 0, 0], [1, 0, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0]]).bool()
    scores = [[2.0, 1.0], [2.0, -1.0], [0.0, 3.0]]

    def gradients(**options: Any) -> torch.Tensor:
        of = batch(scores, rows=rows, relevant=relevant)
        of.all_scores.retain_grad()
        loss(of, **options).backward()
        assert of.all_scores.grad is not None
        return of.all_scores.grad

    masked, counted = gradients(), gradients(mask=False)
    assert masked[0, 2].item() == masked[1, 0].item() == 0  # the other's column of the same passage
    assert counted[0, 2].item() > 0 < counted[1, 0].item()
    assert (masked[2] == counted[2]).all()


def test_what_the_positive_is_found_among():
    of = batch()
    matrix = of.all_scores.detach()
    positives = functional.cross_entropy(matrix[:, ::2], torch.arange(3))
    assert loss(of, among="positives").item() == pytest.approx(positives.item())
    own = torch.stack([matrix[row, 2 * row : 2 * row + 2] for row in range(3)])
    lists = functional.cross_entropy(own, torch.zeros(3, dtype=torch.long))
    assert loss(of, among="list").item() == pytest.approx(lists.item())
    assert loss(of, among="list", mask=False).item() == pytest.approx(lists.item())


def test_towers_begin_equal_and_share_nothing(bare_encoder: str, tmp_path: Path):
    student = TwoTowers(bare_encoder, context(tmp_path), max_length=16)
    query, document = (student.model[0].sub_modules[role] for role in ("query", "document"))
    ours, theirs = (list(tower.parameters()) for tower in (query, document))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert not {p.data_ptr() for p in ours} & {p.data_ptr() for p in theirs}
    assert len(list(student.model.parameters())) == 2 * len(ours)
    assert [tower[0].max_seq_length for tower in (query, document)] == [16, 16]


def test_training_moves_both_towers_and_any_program_loads_them(bare_encoder: str, tmp_path: Path):
    from sentence_transformers import SentenceTransformer

    given, folder = lesson(bare_encoder, None, tmp_path), context(tmp_path)
    Dpr(knobs(steps=3), folder).distil(given)
    saved = str(folder.training / "student")
    untrained = TwoTowers(bare_encoder, folder, max_length=16).model
    trained = SentenceTransformer(saved, device="cpu")
    for encode in ("encode_query", "encode_document"):
        assert not np.allclose(getattr(trained, encode)("a lemon"), getattr(untrained, encode)("a lemon"), atol=1e-4)
    assert not np.allclose(trained.encode_query("a lemon"), trained.encode_document("a lemon"), atol=1e-4)


def dense(folder: Path, checkpoint: Path) -> Retriever:
    """The trained student as the plugin for any checkpoint loads it."""
    subject = Subject(registry=registry(), kind="retriever", name="dense", folder=folder)
    return subject.build(use(registry(), ("retriever",), "dense", {"model": str(checkpoint)}))


@pytest.mark.parametrize("towers", ["two", "shared"])
def test_search_is_the_matrix_product_and_the_dense_retriever_finds_the_same(
    towers: str, bare_encoder: str, tmp_path: Path
):
    given, folder = lesson(bare_encoder, None, tmp_path), context(tmp_path)
    method = Dpr(knobs(steps=3, towers=towers), folder)
    trained = method.distil(given)
    again = dense(tmp_path / "dense", folder.training / "student")
    queries = [example.query for example in given.examples[::6]]
    trained.index(given.corpus)
    again.index(given.corpus)
    found, other = trained.search(queries, 5), again.search(queries, 5)
    assert (found.rows == other.rows).all()

    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder.training / "student"), device="cpu")
    asked = model.encode_query([query.text for query in queries], normalize_embeddings=True)
    documents = model.encode_document(list(given.corpus.contents()), normalize_embeddings=True)
    best = -np.sort(-(asked @ documents.T), axis=1)[:, :5]
    np.testing.assert_allclose(found.scores, best, atol=1e-4)


def test_shared_refuses_two_towers(bare_encoder: str, tmp_path: Path):
    TwoTowers(bare_encoder, context(tmp_path), max_length=16).save(tmp_path / "two")
    with pytest.raises(ConfigError, match="towers=two"):
        Dpr(Config(towers="shared"), context(tmp_path)).student(str(tmp_path / "two"))
    kept = Dpr(Config(towers="two"), context(tmp_path)).student(str(tmp_path / "two"))
    assert not hasattr(kept.model[0].sub_modules["query"][0], "sub_modules")  # not doubled once more


def shuffled(given: Lesson) -> Lesson:
    """Each query with the relevant documents of another one, by chance."""
    order = np.random.default_rng(3).permutation(len(given.examples))
    pairs = zip(given.examples, order, strict=True)
    wrong = [dataclasses.replace(one, positives=given.examples[other].positives) for one, other in pairs]
    return dataclasses.replace(given, examples=wrong)


def after(folder: Path, encoder: str, right: bool = True, **options: Any) -> float:
    given = lesson(encoder, None, folder)
    return learnt(Dpr(knobs(**({"towers": "shared"} | options)), context(folder)), given if right else shuffled(given))


@pytest.mark.parametrize("towers", ["two", "shared"])
def test_learns_from_labels_and_nothing_from_shuffled_ones(towers: str, bare_encoder: str, tmp_path: Path):
    true, wrong = (after(tmp_path / str(right), bare_encoder, right, towers=towers) for right in (True, False))
    assert true > 0.8
    assert wrong < true - 0.4


def test_overfits_its_pairs(bare_encoder: str, tmp_path: Path):
    given = lesson(bare_encoder, None, tmp_path)
    student = Dpr(knobs(), context(tmp_path)).distil(given)
    student.index(given.corpus)
    run = student.search([example.query for example in given.examples], 1)
    right = [row in example.positives for row, example in zip(run.rows[:, 0].tolist(), given.examples, strict=True)]
    assert all(right)


def test_larger_batches_and_hard_negatives_and_the_mask_help(bare_encoder: str, tmp_path: Path):
    small, large, hard = (
        after(tmp_path / f"{batch}-{among}", bare_encoder, steps=12, documents=4, batch=batch, among=among)
        for batch, among in ((2, "positives"), (8, "positives"), (8, "batch"))
    )
    assert small < large < hard
    masked, counted = (after(tmp_path / f"mask-{mask}", bare_encoder, mask=mask) for mask in (True, False))
    assert counted < masked
