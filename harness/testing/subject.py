"""A plugin under test, built as the harness builds it."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.build import Builder
from harness.card import Card, Kind, Use
from harness.config import use
from harness.contracts import Corpus, Lesson, Retriever, Task, Teacher
from harness.errors import ContractError
from harness.plugins import Registry
from harness.records import Budget, Query, Run
from harness.testing.teachers import OverlapTeacher
from harness.testing.tiny import tiny_task

DEPTH = 10
"""Documents asked for where a check is not about depth."""

BUDGET = Budget(steps=8, examples=64)
"""What a distiller may use in a check."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """The plugin, its options, and the tiny collection; what checks share is made once."""

    registry: Registry
    """Where plugins are found."""
    kind: Kind
    """What it is checked as."""
    name: str
    """Its `Card.name`."""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """Its options, as on the command line."""
    folder: Path
    """Where everything is written."""
    student: str = ""
    """For a distiller: the student's checkpoint."""
    teacher: Teacher | Use | None = None
    """For a distiller: the teacher; None takes one that gives every signal."""
    budget: Budget = BUDGET
    """For a distiller: what it may use."""
    identity_options: Mapping[str, str] = field(default_factory=dict[str, str])
    """For a teacher: options that its answers depend on, each with a value other than the one it is checked with."""

    @cached_property
    def card(self) -> Card:
        """The plugin's card."""
        return self.registry.find(self.name, self.kind)[0]

    @cached_property
    def chosen(self) -> Use:
        """The plugin with its options."""
        return self.with_options({})

    def with_options(self, options: Mapping[str, str]) -> Use:
        """The plugin with these options in place of its own of the same names."""
        return use(self.registry, (self.kind,), self.name, {**self.options, **options})

    @cached_property
    def tiny(self) -> Task:
        """The tiny collection."""
        return tiny_task(self.folder / "tiny")

    @cached_property
    def corpus(self) -> Corpus:
        """Its documents."""
        return self.tiny.corpus()

    @cached_property
    def queries(self) -> Sequence[Query]:
        """Its test queries."""
        return self.tiny.queries("test")

    def new_folder(self) -> Path:
        """An empty folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=self.folder))

    def build(self, chosen: Use | None = None, seed: int = 0) -> Any:
        """A new instance of the plugin, or of another."""
        builder = Builder(registry=self.registry, folder=self.new_folder(), seed=seed)
        return builder.build(chosen or self.chosen)

    @cached_property
    def living(self) -> Any:
        """One instance, for checks that need no new one."""
        return self.build()

    @cached_property
    def lesson_teacher(self) -> Teacher:
        """The teacher that a distiller is given."""
        if self.teacher is None:
            return OverlapTeacher()
        return self.build(self.teacher) if isinstance(self.teacher, Use) else self.teacher

    def lesson(self, teacher: Teacher | None = None, budget: Budget | None = None) -> Lesson:
        """What a distiller is given, with this teacher or the usual one; no teacher where it needs no signal."""
        return Lesson(
            student=self.student,
            teacher=(teacher or self.lesson_teacher) if self.card.needs else None,
            corpus=self.corpus,
            examples=self.tiny.examples(),
            budget=budget or self.budget,
        )

    def retriever(self, teacher: Teacher | None = None) -> Retriever:
        """A new retriever that has indexed nothing: the plugin itself, or what the distiller makes."""
        if self.card.kind != "distiller":
            return self.build()
        student = self.build().distil(self.lesson(teacher))
        if not isinstance(student, Retriever):
            raise ContractError(f"expected distil to return a retriever, got {type(student).__name__}")
        return student

    def indexed(self, teacher: Teacher | None = None) -> Retriever:
        """A new retriever that has indexed the collection."""
        retriever = self.retriever(teacher)
        retriever.index(self.corpus)
        return retriever

    @cached_property
    def ready(self) -> Retriever:
        """One retriever that has indexed the collection, for checks that need no new one."""
        return self.indexed()

    @cached_property
    def run(self) -> Run:
        """What it finds for the test queries."""
        return self.ready.search(self.queries, DEPTH)
