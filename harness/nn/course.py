"""What a method trains with: lists, the teacher's signals, students, stages, and at the end a retriever and its record.

`harness.nn.recipe.fit` is a course of one stage; a method of several puts its own together out of these parts.
"""

import dataclasses
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import Tensor, nn

from harness.card import Use
from harness.contracts import Context, Lesson, Retriever
from harness.errors import ConfigError, DataError
from harness.nn.lists import Batches, Lists
from harness.nn.mining import Candidates, Window, mine
from harness.nn.settings import UNLIMITED_STEPS, StudentConfig
from harness.nn.students import Form, PairStudent, Student, make
from harness.nn.taught import scorable, teacher_scores
from harness.nn.training.account import Account
from harness.nn.training.loop import Loop
from harness.nn.training.processes import processes
from harness.nn.training.stage import Schedule, Stage
from harness.nn.view import View

Loss = Callable[[View], Tensor]

RECORD = "record.json"
"""What a training says of itself, in its folder."""
STUDENT = "student"
"""Where the trained student is, in its folder."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """One lesson under one configuration."""

    lesson: Lesson
    """Student, teacher, documents, examples, budget."""
    context: Context
    """Device, seed and folders."""
    config: StudentConfig
    """The recipe's knobs."""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    """What goes into the training's record beside account and curves."""
    dealt: list[int] = field(default_factory=list[int])
    """Batches of each stage so far: the next one goes on from there, so that lists come again only in another epoch."""

    @property
    def steps(self) -> int:
        """Optimiser steps that there are to spend over all stages; examples may allow fewer than the budget's steps.

        Raises:
            ConfigError: not one.
        """
        budget, each = self.lesson.budget, self.config.batch * self.config.accumulate * processes()
        by_examples = None if budget.examples is None else budget.examples // each
        if by_examples == 0:
            raise ConfigError(f"the budget allows {budget.examples} examples; expected {each}, for one step: raise it")
        limits = [steps for steps in (self.config.steps, budget.steps, by_examples) if steps is not None]
        return min(limits, default=UNLIMITED_STEPS)

    def share(self, *shares: float) -> list[int]:
        """The steps in these shares, which add up to 1; at least one step each, the last takes the rest.

        Raises:
            ConfigError: fewer steps than shares.
        """
        left, parts = self.steps, list[int]()
        if left < len(shares):
            raise ConfigError(
                f"{left} steps for {len(shares)} stages; expected at least one each: raise 'steps' or the budget"
            )
        for place, share in enumerate(shares[:-1], 1):
            most = left - (len(shares) - place)
            parts.append(min(max(1, round(share * self.steps)), most))
            left -= parts[-1]
        return [*parts, left]

    def student(self, form: Form = "dense", checkpoint: str = "", **options: Any) -> Student:
        """A student of the lesson's checkpoint, or of another."""
        return make(form, checkpoint or self.lesson.student, self.context, self.config.max_length, **options)

    def pair_student(self, checkpoint: str = "", max_length: int | None = None) -> PairStudent:
        """A cross-encoder student of the lesson's checkpoint, or of another."""
        return PairStudent(checkpoint or self.lesson.student, self.context, max_length or self.config.max_length)

    @cached_property
    def candidates(self) -> Candidates:
        """The frozen candidate lists: equal for every method with these knobs, whatever the seed.

        Raises:
            DataError: the suite expects others.
        """
        lists = self.mined(self.context.build(self.config.negatives))
        if self.lesson.candidates not in ("", lists.digest):
            raise DataError(
                f"the suite fixes candidate lists {self.lesson.candidates[:12]}…, these options and data give "
                f"{lists.digest[:12]}…; leave the options that the suite fixes, or correct its `candidates`"
            )
        return lists

    def mined(self, retriever: Retriever, **window: int) -> Candidates:
        """Lists with negatives from this retriever's ranking of the lesson's corpus.

        Args:
            retriever: has indexed nothing yet.
            window: other ranks or numbers than the configuration's: `first`, `last`, `count`.
        """
        retriever.index(self.lesson.corpus)
        config = self.config
        usual = {"first": config.first_rank, "last": config.last_rank, "count": config.documents - 1}
        lists = mine(retriever, self.lesson.corpus, self.lesson.examples, Window(**(usual | window)), config.draw)
        self.facts.setdefault("candidates", []).append(lists.digest)
        return lists

    def lists(self, candidates: Candidates | None = None, **signals: Any) -> Lists:
        """Lists to learn from: the frozen ones, or these, with a teacher's signals; see `Lists`."""
        chosen = self.candidates if candidates is None else candidates
        return Lists(chosen, self.lesson.corpus, self.lesson.examples, **signals)

    def taught(self, candidates: Candidates | None = None, teacher: Any = None) -> Lists:
        """The same with a teacher's scores; as many lists as the budget of teacher calls has scores for."""
        chosen = scorable(self.lesson, self.candidates if candidates is None else candidates, teacher)
        return self.lists(chosen, teacher=teacher_scores(self.lesson, chosen, teacher))

    def stage(
        self,
        name: str,
        student: Student | PairStudent,
        loss: Loss,
        lists: Lists | Callable[[], Lists],
        *,
        steps: int | None = None,
        model: nn.Module | None = None,
        rates: Mapping[str, float] | None = None,
        **further: Any,
    ) -> Stage:
        """A stage over candidate lists.

        Args:
            name: shown beside its loss curve.
            student: embeds or scores what is in a batch.
            loss: of a batch.
            lists: what is learnt from; a function is called once before the stage begins (lists that an earlier stage's
                student mines).
            steps: optimiser steps; default: all.
            model: everything that learns, if it is more than the student.
            rates: factors on the learning rate by prefix of parameter names.
            further: other fields of `Stage`.
        """
        count = self.steps if steps is None else steps
        held = _Held(lists, self.config.batch, self.context.seed, sum(self.dealt))
        self.dealt.append(count * self.config.accumulate * processes())
        if self.config.chunk and isinstance(student, Student):
            further.setdefault("after_backward", student.cached(self.config.chunk))
        before: Callable[[], None] | None = further.pop("before", None)

        def begin() -> None:
            if before:
                before()
            held.fill()

        return Stage(
            name=name,
            model=student.model if model is None else model,
            batch=lambda number: held.view(student, number),
            loss=lambda view, step: loss(dataclasses.replace(view, step=step)),
            steps=count,
            examples=self.config.batch,
            schedule=self.schedule(rates=rates),
            before=begin,
            **further,
        )

    def schedule(self, *, rates: Mapping[str, float] | None = None, **other: Any) -> Schedule:
        """The configuration's schedule, with other values where given."""
        config = self.config
        usual = Schedule(
            learning_rate=config.learning_rate,
            rates=dict(rates or {}),
            warmup=config.warmup,
            accumulate=config.accumulate,
        )
        return dataclasses.replace(usual, **other)

    def train(self, stages: Sequence[Stage]) -> Account:
        """Run the stages inside the budget; one that was stopped goes on, one that is over is not done again."""
        loop = Loop(
            folder=self.context.training / "checkpoints",
            seed=self.context.seed,
            budget=self.lesson.budget,
            device=self.context.device,
            precision=self.config.precision,
        )
        account = loop.run(stages)
        self._write(account)
        return account

    def finish(self, student: Student | PairStudent, first: Use | None = None, depth: int = 0) -> Retriever:
        """Keep the trained student as an ordinary model folder, and make a retriever of it.

        Args:
            student: the student.
            first: for a cross-encoder: what finds the documents that it reranks.
            depth: for a cross-encoder: how many of them.
        """
        self.keep(student)
        if isinstance(student, Student):
            return student.retriever()
        assert first is not None, "a cross-encoder needs something to rerank"
        return student.retriever(self.context.build(first), depth)

    def keep(self, student: Student | PairStudent) -> None:
        """Keep the trained student as an ordinary model folder."""
        student.save(self.context.training / STUDENT)

    def note(self, name: str, find: Callable[[], Any]) -> None:
        """Put what is known only after training into its record too; found out once, however often it is opened."""
        record = json.loads((self.context.training / RECORD).read_text())
        if name not in record:
            self._put(record | {name: find()})

    def _write(self, account: Account) -> None:
        """Write the record; of a training that was over before, what was found out while it ran stays in it."""
        used = account.as_json()
        curves = used.pop("curves")
        file = self.context.training / RECORD
        before: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        lists = max(before.get("candidates", []), self.facts.get("candidates", []), key=len)
        self._put({**before, **self.facts, "candidates": lists, "account": used, "curves": curves})

    def _put(self, record: dict[str, Any]) -> None:
        work = self.context.training / f".{RECORD}"
        work.write_text(json.dumps(record))
        os.replace(work, self.context.training / RECORD)


class _Held:
    """Lists that may only come to be when a stage begins."""

    def __init__(self, lists: Lists | Callable[[], Lists], size: int, seed: int, first: int) -> None:
        self._given, self._size, self._seed, self._first = lists, size, seed, first

    def fill(self) -> None:
        self._lists = self._given if isinstance(self._given, Lists) else self._given()
        self._batches = Batches(len(self._lists), self._size, self._seed)

    def view(self, student: Student | PairStudent, number: int) -> View:
        return self._lists.view(student, self._batches.positions(self._first + number))
