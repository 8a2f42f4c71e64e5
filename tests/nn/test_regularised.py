"""The regularised loss of sparse students, worked by hand, and what a search costs."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from harness.nn.course import Course  # noqa: E402
from harness.nn.losses import margin_mse  # noqa: E402
from harness.nn.regularised import contrastive, cost, finish, margins, regularised, splade  # noqa: E402
from harness.nn.settings import SpladeConfig, StudentConfig  # noqa: E402
from harness.testing.topics import TopicTeacher, context, lesson  # noqa: E402
from harness.testing.views import gradient, view  # noqa: E402


def test_the_penalty_grows_quadratically():
    loss = regularised(lambda of: torch.tensor(1.0), lambda of: torch.tensor(8.0), 10)
    values = [loss(view([[0.0]], step=step)).item() for step in (0, 5, 10, 99)]
    assert values == [1.0, 1.0 + 8 / 4, 9.0, 9.0]


def test_splade_by_hand():
    # Queries are at 1: their FLOPS are 1. Documents have the mean (2 + 1 + 4 + 1) / 4 = 2: their FLOPS are 4.
    of = view([[2.0, 1.0], [4.0, 1.0]], [[3.0, 1.0], [5.0, 4.0]], step=5)
    config = SpladeConfig(lambda_q=0.5, lambda_d=0.25, ramp=0.5)
    ranked = ((1 - 2) ** 2 + (3 - 1) ** 2) / 2
    assert splade(config, 20)(of).item() == pytest.approx(ranked + (0.5 * 1 + 0.25 * 4) / 4)
    assert splade(config, 10)(of).item() == pytest.approx(ranked + 0.5 * 1 + 0.25 * 4)


def test_without_penalties_margins_are_margin_mse():
    of = view([[2.0, 1.0, 0.5], [4.0, 1.0, 0.0]], [[3.0, 1.0, 0.0], [5.0, 4.0, 4.5]])
    config = SpladeConfig(lambda_q=0, lambda_d=0)
    t = torch.tensor
    expected = margin_mse(t([2.0, 2.0, 4.0, 4.0]), t([1.0, 0.5, 1.0, 0.0]), t([3.0, 3, 5, 5]), t([1.0, 0, 4, 4.5]))
    assert splade(config, 10)(of).item() == margins(of).item() == pytest.approx(expected.item())


def test_contrastive_counts_own_list_and_positives_of_the_batch():
    of = view([[2.0, 1.0], [4.0, 3.0]])
    own = torch.tensor([[2.0, 1.0, 4.0], [4.0, 3.0, 2.0]])  # the other list's negative is none of a query's
    expected = -torch.log_softmax(own, dim=1)[:, 0].mean()
    assert contrastive(of).item() == pytest.approx(expected.item())


def test_contrastive_leaves_out_what_is_relevant_too():
    relevant = torch.tensor([[True, False, True, False], [False, False, True, False]])
    of = view([[2.0, 1.0], [4.0, 3.0]], relevant=relevant)
    first = -torch.log_softmax(torch.tensor([2.0, 1.0]), dim=0)[0]
    second = -torch.log_softmax(torch.tensor([4.0, 3.0, 2.0]), dim=0)[0]
    loss = contrastive(of)
    assert loss.item() == pytest.approx((first + second).item() / 2)
    loss.backward()
    assert sum(map(sum, gradient(of))) == pytest.approx(0, abs=1e-6)


def test_cost_by_hand(small_splade: str, tmp_path: Path):
    given = lesson(small_splade, TopicTeacher(), tmp_path)
    course = Course(lesson=given, context=context(tmp_path), config=StudentConfig(max_length=16))
    student = course.student("sparse")
    found = cost(student, given)
    queries = student.embed([example.query.text for example in given.examples], "query") > 0
    documents = student.embed(given.corpus.contents(), "document") > 0
    pairs = [(q & d).sum().item() for q in queries for d in documents]
    assert found["flops"] == pytest.approx(sum(pairs) / len(pairs), rel=1e-4)
    assert found["query_terms"] == pytest.approx(queries.sum(1).float().mean().item(), rel=1e-4)
    assert found["document_terms"] == pytest.approx(documents.sum(1).float().mean().item(), rel=1e-4)


def test_cost_goes_into_the_record(small_splade: str, tmp_path: Path):
    import json

    given = lesson(small_splade, TopicTeacher(), tmp_path)
    config = StudentConfig(steps=1, documents=2, last_rank=5, batch=2, max_length=16)
    course = Course(lesson=given, context=context(tmp_path), config=config)
    student = course.student("sparse")
    course.train([course.stage("train", student, contrastive, course.lists())])
    finish(course, student)
    record = json.loads((course.context.training / "record.json").read_text())
    assert record["sparsity"] == cost(student, given)
    assert record["account"]["steps"] == 1
    assert set(record) == {"candidates", "account", "curves", "sparsity"}
