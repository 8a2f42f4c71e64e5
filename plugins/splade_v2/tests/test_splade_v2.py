"""The card's behaviour checks: pooling, scores, queries without a model, sparsity, and that the student learns."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_splade_v2 import CARD, Config
from harness_splade_v2.method import SpladeV2

from harness.config import parse
from harness.contracts import Lesson
from harness.nn.losses import flops, margin_mse, ramp
from harness.nn.regularised import splade
from harness.nn.students import LookupStudent
from harness.nn.students.pooled import max_logits
from harness.plugins import registry
from harness.records import Query
from harness.testing import DistillerContract
from harness.testing.topics import TopicTeacher, context, learnt, lesson
from harness.testing.views import view

KNOBS: dict[str, Any] = {
    "steps": 25,
    "documents": 6,
    "last_rank": 30,
    "batch": 16,
    "learning_rate": 5e-4,
    "max_length": 16,
}


class TestContract(DistillerContract):
    plugin = "splade-v2"
    options = {"steps": "3", "documents": "3", "last_rank": "10", "batch": "4", "max_length": "32"}  # noqa: RUF012

    @pytest.fixture
    def student(self, small_splade: str) -> str:
        return small_splade


class TestDoc(TestContract):
    options = TestContract.options | {"variant": "doc"}


def method(folder: Path, **knobs: Any) -> SpladeV2:
    return SpladeV2(Config(**(KNOBS | knobs)), context(folder))


def cost(folder: Path) -> dict[str, float]:
    return json.loads((folder / "work" / "training" / "record.json").read_text())["sparsity"]


class Mute:
    """A teacher that must not be asked."""

    identity = "mute"


Taught = Callable[..., tuple[float, dict[str, float]]]


@pytest.fixture(scope="module")
def taught(small_splade: str, tmp_path_factory: pytest.TempPathFactory) -> Taught:
    """Train on a teacher; what was learnt, and what a search costs."""

    def train(teacher: Any, **knobs: Any) -> tuple[float, dict[str, float]]:
        folder = tmp_path_factory.mktemp("taught")
        return learnt(method(folder, **knobs), lesson(small_splade, teacher, folder)), cost(folder)

    return train


@pytest.fixture(scope="module")
def honest(taught: Taught) -> tuple[float, dict[str, float]]:
    return taught(TopicTeacher())


def test_pooling_is_a_maximum():
    torch.manual_seed(0)
    logits = torch.randn(1, 3, 5)
    again = torch.cat([logits, logits[:, 1:2]], dim=1)

    def pooled(given: torch.Tensor) -> torch.Tensor:
        """As students pool: logits are hidden states times a weight, here the identity."""
        return max_logits(given, torch.eye(5), torch.zeros(5), torch.ones(given.shape[:2], dtype=torch.bool))

    assert torch.equal(pooled(logits), logits.amax(1))
    assert torch.equal(pooled(again), pooled(logits))
    assert not torch.allclose(again.relu().log1p().sum(1), logits.relu().log1p().sum(1))


def test_flops_and_schedule_by_hand():
    assert flops(torch.tensor([[1.0, 0.0, 2.0], [3.0, 1.0, 0.0]])).item() == pytest.approx(2**2 + 0.5**2 + 1**2)
    assert ramp(25, 50, 0.4) == pytest.approx(0.1)
    config = Config(lambda_q=0, lambda_d=0.4, ramp=0.5)
    values = [splade(config, 100)(view([[2.0, 1.0]], [[2.0, 1.0]], step=step)).item() for step in (0, 25, 50, 90)]
    assert values == pytest.approx([0, 0.1 * 1.5**2, 0.4 * 1.5**2, 0.4 * 1.5**2])


def test_without_penalties_it_is_margin_mse():
    of = view([[2.0, 1.0], [0.5, 0.0]], [[3.0, -1.0], [8.0, 7.0]], step=9)
    t = torch.tensor
    expected = margin_mse(t([2.0, 0.5]), t([1.0, 0.0]), t([3.0, 8.0]), t([-1.0, 7.0]))
    assert splade(Config(lambda_q=0, lambda_d=0), 10)(of).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("variant", ["max", "doc"])
def test_the_index_scores_as_the_vectors_do(variant: str, small_splade: str, tmp_path: Path):
    given = lesson(small_splade, None, tmp_path)
    student = method(tmp_path, variant=variant).student(small_splade)
    texts = ["a glacier and a volcano", "history of the parliament", "best of the best"]
    queries, documents = student.embed(texts, "query"), student.embed(given.corpus.contents(), "document")
    assert student.head is not None
    assert queries.shape[1] == documents.shape[1] == len(student.head[1].weight)
    assert bool((queries >= 0).all() & (documents >= 0).all())
    retriever = student.retriever()
    retriever.index(given.corpus)
    run = retriever.search([Query(id=text, text=text) for text in texts], len(given.corpus))
    scores = np.zeros((len(texts), len(given.corpus)), np.float32)
    for line, (rows, found) in enumerate(zip(run.rows, run.scores, strict=True)):
        scores[line, rows[rows >= 0]] = found[rows >= 0]
    assert scores == pytest.approx((queries @ documents.T).detach().numpy(), abs=1e-5)


def test_a_query_of_doc_is_the_bag_of_its_pieces_and_takes_no_forward_pass(small_splade: str, tmp_path: Path):
    student = method(tmp_path, variant="doc").student(small_splade)
    assert isinstance(student, LookupStudent)
    calls: list[int] = []
    student.language_model.base_model.register_forward_hook(lambda *_: calls.append(1))
    (found,) = student.embed(["the lemon and the engine"], "query")
    ids = student.tokenizer.convert_tokens_to_ids(["the", "lemon", "and", "engine"])
    assert found.nonzero().flatten().tolist() == sorted(ids)
    assert found.sum() == 4
    given = lesson(small_splade, None, tmp_path)
    retriever = student.retriever()
    retriever.index(given.corpus)
    asked = len(calls)
    retriever.search([Query(id="q", text="the lemon")], 3)
    assert len(calls) == asked > 0


def test_a_table_that_a_checkpoint_brings_is_replaced(small_splade: str, tmp_path: Path):
    heavy = method(tmp_path, variant="doc").student(small_splade)
    assert isinstance(heavy, LookupStudent)
    heavy.weigh(torch.full((heavy.vocabulary,), 3.0))
    heavy.save(tmp_path / "heavy")
    (found,) = method(tmp_path, variant="doc").student(str(tmp_path / "heavy")).embed(["the lemon"], "query")
    assert found[found > 0].tolist() == [1.0, 1.0]


def test_learns_from_the_teacher_and_nothing_from_a_permuted_one(honest: tuple[float, Any], taught: Taught):
    assert honest[0] > 0.8
    assert taught(TopicTeacher(permuted=True))[0] < honest[0] - 0.3


def test_documents_learn_where_queries_are_bags(taught: Taught):
    assert taught(TopicTeacher(), variant="doc")[0] > 0.8
    assert taught(TopicTeacher(permuted=True), variant="doc")[0] < 0.6


def test_contrastive_learns_from_labels_and_asks_no_teacher(taught: Taught):
    assert taught(Mute(), ranking="contrastive", lambda_q=3e-4, lambda_d=1e-4)[0] > 0.7


def test_the_higher_lambda_d_the_sparser_and_no_better(taught: Taught):
    lambdas = (0.0, 0.1, 100.0)
    found = [taught(TopicTeacher(), lambda_d=value, lambda_q=0.0) for value in lambdas]
    terms = [cost["document_terms"] for _, cost in found]
    assert terms == sorted(set(terms), reverse=True)
    assert found[2][0] < found[0][0]


def test_expansion(small_splade: str, tmp_path: Path):
    """Documents get terms that are not in them, through which alone some are found."""
    distiller = method(tmp_path, variant="doc", steps=10)
    given: Lesson = lesson(small_splade, TopicTeacher(), tmp_path)
    distiller.distil(given)
    student = distiller.student(str(tmp_path / "work" / "training" / "student"))
    documents = student.embed(given.corpus.contents(), "document")
    written = student.embed(given.corpus.contents(), "query") > 0  # a bag of word pieces
    expanded = documents * ~written
    assert bool((expanded > 0).any(dim=1).all())
    before = distiller.student(small_splade).embed(given.corpus.contents(), "document") * ~written
    assert not torch.equal(before > 0, expanded > 0)  # training decides which they are
    query = (expanded[0] == expanded[0].max()).float()  # a term of the first document that it doesn't have in its text
    assert (documents @ query)[0] > 0
    assert (documents * written @ query)[0] == 0


def test_presets_are_the_papers_variants():
    found = {name: parse(registry(), CARD, {"preset": name}) for name in CARD.presets}
    assert (found["max"].lambda_q, found["max"].lambda_d, found["max"].ranking) == (3e-4, 1e-4, "contrastive")
    assert (found["distil"].lambda_q, found["distil"].lambda_d, found["distil"].ranking) == (0.5, 0.4, "margin-mse")
    assert found["doc"].variant == "doc"
