"""The student recipe: all that a method which is a loss shares with the others.

Mining, the teacher's scores, batches, training and the retriever at the end are here; the method brings a function from
a `View` of a batch to a loss, and says whether it needs a teacher.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int
from torch import Tensor

from harness.contracts import Context, Corpus, Lesson
from harness.errors import SignalError
from harness.nn.mining import Candidates, Window, mine
from harness.nn.retriever import EmbeddingRetriever
from harness.nn.settings import StudentConfig
from harness.nn.student import Student
from harness.nn.training.loop import Loop
from harness.nn.training.stage import Schedule, Stage


@dataclass(frozen=True, kw_only=True)
class View:
    """What a loss sees of a batch; column 0 of a list is the positive."""

    query_vectors: Float[Tensor, "queries dim"]
    """The student's."""
    document_vectors: Float[Tensor, "queries docs dim"]
    """The student's, list by list."""
    rows: Int[Tensor, "queries docs"]
    """Which documents they are."""
    teacher: Float[Tensor, "queries docs"] | None
    """The teacher's scores of the lists, where it was asked."""
    relevant: Bool[Tensor, "queries all_docs"]
    """Which of all documents of the batch, lists one after the other, are judged relevant for a query."""

    @cached_property
    def scores(self) -> Float[Tensor, "queries docs"]:
        """Of each query with its own list."""
        return torch.einsum("qd,qnd->qn", self.query_vectors, self.document_vectors)

    @cached_property
    def all_scores(self) -> Float[Tensor, "queries all_docs"]:
        """Of each query with the documents of all lists: in-batch negatives."""
        return self.query_vectors @ self.document_vectors.flatten(0, 1).T

    @cached_property
    def positives(self) -> Int[Tensor, " queries"]:
        """Column of each query's positive in `all_scores`."""
        queries, docs = self.rows.shape
        return torch.arange(queries, device=self.rows.device) * docs


Loss = Callable[[View], Tensor]


def fit(lesson: Lesson, context: Context, config: StudentConfig, loss: Loss, *, taught: bool) -> EmbeddingRetriever:
    """Train the lesson's student on a loss.

    Args:
        lesson: student, teacher, documents, examples, budget.
        context: device, seed and folder.
        config: the recipe's knobs.
        loss: of a batch.
        taught: whether the loss needs the teacher's scores.

    Raises:
        SignalError: it does, and there is no teacher that gives scores.
    """
    lists = frozen_lists(lesson, context, config)
    if taught:
        lists = within_budget(lists, lesson.budget.teacher_calls)
    teacher = teacher_scores(lesson, lists) if taught else None
    student = Student(lesson.student, context, config.max_length)
    batches = _Batches(lists, lesson, config.batch, context.seed)

    def batch(number: int) -> View:
        return _view(student, batches, batches.positions(number), teacher, lesson.corpus)

    schedule = Schedule(learning_rate=config.learning_rate, warmup=config.warmup, accumulate=config.accumulate)
    stage = Stage(
        name="distil",
        model=student.model,
        batch=batch,
        loss=lambda view, _: loss(view),
        steps=config.steps,
        examples=config.batch,
        schedule=schedule,
    )
    folder = context.folder / "training"
    Loop(folder=folder, seed=context.seed, budget=lesson.budget, device=context.device).run([stage])
    student.save(context.folder / "student")
    return student.retriever()


def frozen_lists(lesson: Lesson, context: Context, config: StudentConfig) -> Candidates:
    """The candidate lists of a lesson: equal for every method with these knobs and this seed."""
    miner = context.build(config.negatives)
    miner.index(lesson.corpus)
    window = Window(first=config.first_rank, last=config.last_rank, count=config.documents - 1)
    return mine(miner, lesson.corpus, lesson.examples, window, context.seed)


def within_budget(lists: Candidates, calls: int | None) -> Candidates:
    """As many of the lists, from the first, as a teacher may be asked about.

    Raises:
        SignalError: not one.
    """
    docs = lists.rows.shape[1]
    if calls is not None and calls < docs:
        raise SignalError(f"the budget allows {calls} teacher calls; expected at least {docs}, for one list: raise it")
    return lists if calls is None else lists.select(range(min(len(lists), calls // docs)))


def teacher_scores(lesson: Lesson, lists: Candidates) -> Float32[np.ndarray, "queries docs"]:
    """The teacher's score of every document of every list; the signal store asks only what is new.

    Raises:
        SignalError: there is no teacher, or it doesn't give scores.
    """
    teacher = lesson.require("score")
    documents = {row: lesson.corpus[row] for row in np.unique(lists.rows).tolist()}
    pairs = [
        (query, documents[row]) for query, rows in zip(lists.queries, lists.rows.tolist(), strict=True) for row in rows
    ]
    return np.asarray(teacher.score(pairs), np.float32).reshape(lists.rows.shape)


class _Batches:
    """Which queries are in the batch of a number: each query once an epoch, in an order that the seed gives."""

    def __init__(self, lists: Candidates, lesson: Lesson, size: int, seed: int) -> None:
        self.lists, self._size, self._seed = lists, min(size, len(lists)), seed
        self.relevant = [frozenset(example.positives) for example in lesson.examples if example.positives]

    def positions(self, number: int) -> list[int]:
        an_epoch = len(self.lists) // self._size
        epoch, place = divmod(number, an_epoch)
        order = np.random.default_rng((self._seed, epoch)).permutation(len(self.lists))
        return order[place * self._size : (place + 1) * self._size].tolist()


def _view(
    student: Student,
    batches: _Batches,
    positions: list[int],
    teacher: Float32[np.ndarray, "queries docs"] | None,
    corpus: Corpus,
) -> View:
    chosen = batches.lists.select(positions)
    queries, docs = chosen.rows.shape
    flat = chosen.rows.ravel().tolist()
    vectors = student.embed(corpus.contents(flat), "document")
    relevant = [[row in batches.relevant[position] for row in flat] for position in positions]
    device = vectors.device
    return View(
        query_vectors=student.embed([query.text for query in chosen.queries], "query"),
        document_vectors=vectors.view(queries, docs, -1),
        rows=torch.as_tensor(chosen.rows, device=device),
        teacher=None if teacher is None else torch.as_tensor(teacher[positions], device=device),
        relevant=torch.tensor(relevant, device=device),
    )
