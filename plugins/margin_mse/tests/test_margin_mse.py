"""The card's behaviour checks: what the loss is blind to, and that the student learns what the teacher knows."""

from pathlib import Path

import numpy as np
import pytest
import torch
from harness_margin_mse import Config
from harness_margin_mse.method import MarginMse

from harness.contracts import Context, Lesson
from harness.data.corpus import build_corpus
from harness.nn.recipe import View
from harness.records import Budget, Document, Example, Query, Run
from harness.testing import DistillerContract


@pytest.fixture(scope="module")
def student(models: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The 2-layer, 128-wide encoder of SPLADE-tiny as a single-vector model with mean pooling."""
    from transformers import AutoModel, AutoTokenizer

    folder = tmp_path_factory.mktemp("student")
    AutoModel.from_pretrained(models / "splade-tiny", add_pooling_layer=False).save_pretrained(folder)
    AutoTokenizer.from_pretrained(models / "splade-tiny").save_pretrained(folder)
    return str(folder)


class TestContract(DistillerContract):
    plugin = "margin-mse"
    options = {"steps": "3", "documents": "3", "last_rank": "10", "batch": "4"}  # noqa: RUF012

    @pytest.fixture
    def student(self, student: str) -> str:
        return student


def view(scores: list[list[float]], teacher: list[list[float]]) -> View:
    """Documents on a line, a query at 1: the scores are the documents."""
    documents = torch.tensor(scores).unsqueeze(2).requires_grad_()
    rows = torch.arange(documents.shape[0] * documents.shape[1]).view(documents.shape[:2])
    queries = torch.ones(len(scores), 1)
    relevant = torch.zeros(len(scores), rows.numel(), dtype=torch.bool)
    asked = torch.tensor(teacher)
    return View(query_vectors=queries, document_vectors=documents, rows=rows, teacher=asked, relevant=relevant)


def loss(of: View, **options: float) -> torch.Tensor:
    context = Context(folder=Path(), build=lambda use: None)
    return MarginMse(Config(**options), context).loss(of)


def test_by_hand():
    # Student margins 1 and 3, teacher margins 2 and 0: (1 + 9) / 2; at scale 2: (0 + 36) / 2.
    batch = view([[2.0, 1.0, -1.0]], [[2.0, 0.0, 2.0]])
    assert loss(batch).item() == pytest.approx(5.0)
    assert loss(batch, scale=2.0).item() == pytest.approx(18.0)


def test_blind_to_a_constant_for_each_query_and_not_to_scale():
    student, teacher = [[2.0, 1.0], [0.5, 0.0]], [[3.0, -1.0], [8.0, 7.0]]
    value = loss(view(student, teacher)).item()
    shifted = [[t + shift for t in line] for line, shift in zip(teacher, (100.0, -7.0), strict=True)]
    assert loss(view(student, shifted)).item() == pytest.approx(value)
    assert loss(view(student, [[10 * t for t in line] for line in teacher])).item() != pytest.approx(value)


def test_gradients_of_positive_and_negative_are_opposite():
    batch = view([[2.0, 1.0], [0.5, 0.0]], [[3.0, -1.0], [8.0, 7.0]])
    loss(batch).backward()
    gradient = batch.document_vectors.grad.squeeze(2)
    assert gradient[:, 0].tolist() == pytest.approx([2 * (1 - 4) / 2, 2 * (0.5 - 1) / 2])
    assert gradient[:, 0].tolist() == pytest.approx((-gradient[:, 1]).tolist())


class ByTopic:
    """Knows which documents are about a query's topic; a permuted one knows nothing."""

    identity = "topic"

    def __init__(self, permuted: bool = False) -> None:
        self.permuted = permuted

    def score(self, pairs):
        scores = np.array([4.0 * (q.text.split()[-1] in d.text.split()) for q, d in pairs], np.float32)
        return np.random.default_rng(0).permutation(scores) if self.permuted else scores


class Everything:
    """Ranks all documents in an order that depends on the query only."""

    def index(self, corpus):
        self.size = len(corpus)

    def search(self, queries, k):
        orders = [np.random.default_rng(len(q.id)).permutation(self.size)[:k] for q in queries]
        rows = np.array(orders, np.int32)
        scores = np.tile(-np.arange(rows.shape[1], dtype=np.float32), (len(queries), 1))
        return Run(query_ids=tuple(q.id for q in queries), rows=rows, scores=scores)


TOPICS = ("lemon", "engine", "violin", "glacier", "parliament", "spider", "marathon", "volcano")
FILLERS = ("about", "notes on", "a short text of", "history of", "why we like", "the best")


def test_learns_the_teachers_margins_and_nothing_from_a_permuted_teacher(student, tmp_path):
    documents = [Document(id=f"{t}{f}", text=f"{filler} {t}") for t in TOPICS for f, filler in enumerate(FILLERS)]
    corpus = build_corpus(documents, tmp_path / "corpus")
    rows = {t: [corpus.row_of(f"{t}{f}") for f in range(len(FILLERS))] for t in TOPICS}
    examples = [
        Example(query=Query(id=f"{'x' * n}{t}", text=f"question {n} on {t}"), positives=tuple(rows[t]))
        for t in TOPICS
        for n in range(6)
    ]

    def correlation(teacher) -> float:
        folder = tmp_path / f"work-{teacher.permuted}"
        folder.mkdir()
        context = Context(folder=folder, build=lambda use: Everything())
        config = Config(steps=60, documents=6, last_rank=30, batch=16, learning_rate=5e-4, scale=8.0, max_length=16)
        lesson = Lesson(student=student, teacher=teacher, corpus=corpus, examples=examples, budget=Budget())
        retriever = MarginMse(config, context).distil(lesson)
        retriever.index(corpus)
        asked = [Query(id=t, text=f"tell me something on {t}") for t in TOPICS]
        run = retriever.search(asked, len(corpus))
        learnt = np.empty((len(asked), len(corpus)))
        np.put_along_axis(learnt, run.rows.astype(int), run.scores, axis=1)
        true = [[query.text.split()[-1] in document.text.split() for document in documents] for query in asked]
        return float(np.corrcoef(learnt.ravel(), np.ravel(true))[0, 1])

    honest, permuted = correlation(ByTopic()), correlation(ByTopic(permuted=True))
    assert honest > 0.7
    assert permuted < honest - 0.2
