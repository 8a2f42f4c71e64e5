"""What to run: the product of methods, tasks and seeds, with the first stages that they start from before them."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.build import first_stages
from harness.card import Card, Use
from harness.config import as_json, digest
from harness.contracts import FP32, Task
from harness.data.joined import training_fingerprint
from harness.errors import ConfigError
from harness.plugins import Registry
from harness.records import Budget
from harness.runner import identity
from harness.suites import Role

SEEDS = 1 << 32
"""How many seeds there are: numpy takes no others."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """A chosen retriever, or a distiller with what it distils."""

    use: Use
    """The plugin and its options."""
    teacher: Use | None = None
    """For a distiller: the teacher."""
    student: str = ""
    """For a distiller: the student's checkpoint."""
    budget: Budget = field(default_factory=Budget)
    """For a distiller: what it may use."""
    train_on: tuple[str, ...] = ()
    """For a distiller: names of the tasks whose training data it gets, together; none: the evaluated task's."""
    candidates: str = ""
    """For a distiller: digest that its candidate lists must have; empty if any will do."""
    role: Role = "method"
    """What it is in its suite."""
    after: tuple[str, ...] = ()
    """Ids of evaluations that come first, since they train a checkpoint that it uses."""
    seeds: tuple[int, ...] = ()
    """Its own replicates, in place of the request's."""
    mode: str = FP32
    """What its models compute with, teachers apart: see `harness.nn.modes`."""

    @property
    def uses(self) -> list[Use]:
        """The plugins chosen: the method and, where there is one, the teacher."""
        return [self.use] + ([self.teacher] if self.teacher else [])


@dataclass(frozen=True, kw_only=True)
class Work:
    """One evaluation to be done; holds names and options only, so that any process can take it."""

    id: str
    """Identity of the evaluation."""
    method: Method
    """What is evaluated."""
    task: str
    """The task's name, as it was given."""
    split: str
    """The split that is evaluated."""
    seed: int
    """All chance comes from it."""
    division: Literal["open", "closed"]
    """Division of the suite it belongs to."""
    suite: str
    """Name of the suite, empty if none."""
    implementation: str
    """Digest of the code."""
    checkpoints: Mapping[str, str]
    """Named checkpoints → what they resolved to."""
    fingerprint: str
    """Of the task's split."""
    exclude_self: bool
    """Whether the task removes a document that has the query's id."""
    first_stages: tuple[str, ...]
    """Ids of the evaluations that come before it."""
    training: str = ""
    """For a distiller: fingerprint of its training data."""
    lesson: str = ""
    """For a distiller: identity of the training, the same for all tasks that its student is evaluated on."""
    trust_remote_code: frozenset[str] = frozenset()
    """Checkpoints whose own code the user has allowed."""

    @property
    def stages(self) -> tuple[str, ...]:
        """Ids of the evaluations that come before it, for their runs or for the students that they train."""
        return (*self.first_stages, *self.method.after)

    @property
    def config(self) -> dict[str, Any]:
        """The whole configuration as JSON values."""
        values = as_json(self.method.use.config)
        if self.method.teacher:
            values["teacher"] = {"plugin": self.method.teacher.name, "config": as_json(self.method.teacher.config)}
        if self.method.student:
            values["student"] = self.method.student
        if self.method.train_on:
            values["train_on"] = list(self.method.train_on)
        limits = {name: value for name, value in dataclasses.asdict(self.method.budget).items() if value is not None}
        values |= {"budget": limits} if limits else {}
        return values | ({"mode": self.method.mode} if self.method.mode != FP32 else {})


@dataclass(frozen=True, kw_only=True)
class Target:
    """A task's split to evaluate on, opened."""

    name: str
    """As given."""
    task: Task
    """The task."""
    split: str
    """One of its splits."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asked for."""

    methods: Sequence[Method]
    """Methods to evaluate."""
    targets: Sequence[Target]
    """Tasks to evaluate them on."""
    training: Mapping[str, Task] = field(default_factory=dict[str, Task])
    """Tasks that distillers train on, by name."""
    seeds: Sequence[int] = (0,)
    """Replicates."""
    division: Literal["open", "closed"] = "open"
    """Division of the suite."""
    suite: str = ""
    """Name of the suite."""
    trust_remote_code: frozenset[str] = frozenset()
    """Checkpoints whose own code may run."""


def check_method(registry: Registry, method: Method) -> Card:
    """The method's card, once it is certain that it can be evaluated as asked.

    Raises:
        ConfigError: a teacher as method, a teacher or student for what needs none, a teacher without a needed signal.
    """
    card, _ = registry.find(method.use.name, method.use.kind)
    if card.kind == "teacher":
        raise ConfigError(
            f"{card.name} is a teacher; expected a retriever or distiller: evaluate it as a reranker with "
            f"--plugin cascade -o base=bm25 -o teacher={card.name}"
        )
    if card.kind != "distiller" and (method.teacher or method.student or method.budget != Budget()):
        raise ConfigError(f"{card.name} is a {card.kind} and takes no --teacher, --student or --budget; distillers do")
    if card.needs and method.teacher is None:
        raise ConfigError(f"{card.name} needs a teacher that gives {', '.join(card.needs)}: --teacher NAME")
    if method.teacher:
        teacher, _ = registry.find(method.teacher.name, "teacher")
        if missing := [signal for signal in card.needs if signal not in teacher.gives]:
            raise ConfigError(
                f"{card.name} needs a teacher that gives {', '.join(card.needs)}; {teacher.name} gives "
                f"{', '.join(teacher.gives)} and lacks {', '.join(missing)}"
            )
    return card


def plan(registry: Registry, request: Request) -> list[Work]:
    """All evaluations asked for, each once, first stages before what starts from them.

    Raises:
        ConfigError: see `check_method`; a seed that numpy or torch doesn't take.
        CheckpointError: a checkpoint that can't be found.
    """
    for seed in itertools.chain(request.seeds, *(method.seeds for method in request.methods)):
        if not 0 <= seed < SEEDS:
            raise ConfigError(f"expected a seed from 0 to {SEEDS - 1}, got {str(seed)[:40]}; give another")
    planner = Planner(registry, request)
    for method in request.methods:  # a method's seeds and tasks one after the other: what is trained serves all tasks
        for seed, target in itertools.product(method.seeds or request.seeds, request.targets):
            planner.add(target, method, seed)
    return list(planner.found.values())


@dataclass
class Planner:
    """Puts works together, each once."""

    registry: Registry
    """Where plugins are found."""
    request: Request
    """What was asked for."""
    found: dict[str, Work] = field(default_factory=dict[str, Work])
    """The works by id, in order."""

    def add(self, target: Target, method: Method, seed: int) -> str:
        """Add the work and, before it, its first stages; return its id."""
        card = check_method(self.registry, method)
        role: Role = "baseline" if self.request.suite else "method"  # nobody asked to compare a first stage
        first = [Method(use=stage, role=role, mode=method.mode) for stage in first_stages(card, method.use)]
        stages = [self.add(target, stage, seed) for stage in first]
        work = self._work(target, method, seed, tuple(dict.fromkeys(stages)))
        if card.kind == "distiller":
            work = self._with_lesson(work, target)
        work = dataclasses.replace(work, id=_id(work))
        if work.id not in self.found or method.role != "baseline":
            self.found[work.id] = work
        return work.id

    def _work(self, target: Target, method: Method, seed: int, stages: tuple[str, ...]) -> Work:
        checkpoints = identity.checkpoints_of(method.uses, method.student)
        if not checkpoints:  # nothing in it computes in a mode
            method = dataclasses.replace(method, mode=FP32)
        return Work(
            id="",
            method=method,
            task=target.name,
            split=target.split,
            seed=seed,
            division=self.request.division,
            suite=self.request.suite,
            implementation=identity.implementation(self.registry, method.uses),
            checkpoints=checkpoints,
            fingerprint=target.task.fingerprint(target.split),
            exclude_self=target.task.facts.exclude_self,
            first_stages=stages,
            trust_remote_code=self.request.trust_remote_code,
        )

    def _with_lesson(self, work: Work, target: Target) -> Work:
        """The work with what it learns from."""
        names = work.method.train_on
        tasks = [self.request.training[name] for name in names] if names else [target.task]
        if empty := [task.facts.name for task in tasks if not task.examples()]:
            raise ConfigError(f"{empty[0]} has no training data; expected a task with a train split: --train-on TASK")
        work = dataclasses.replace(work, training=training_fingerprint(tasks))
        return dataclasses.replace(work, lesson=digest(_lesson(work)))


def _lesson(work: Work) -> dict[str, Any]:
    """What a training depends on; the same on every machine: checkpoints count by content, data by fingerprint."""
    config = {name: value for name, value in work.config.items() if name != "train_on"}
    return {
        "method": work.method.use.name,
        "config": identity.by_content(config, work.checkpoints),
        "implementation": work.implementation,
        "training": work.training,
        "seed": work.seed,
    }


def _id(work: Work) -> str:
    """What an evaluation depends on: method and training, task, and first stages by their ids."""
    return digest(
        _lesson(work)
        | {
            "task": work.fingerprint,
            "exclude_self": work.exclude_self,
            "division": work.division,
            "first_stages": work.first_stages,
        }
    )
