"""What to run: the product of methods, tasks and seeds, with the first stages that they start from before them."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.build import first_stages
from harness.card import Card, Use
from harness.config import as_json, digest
from harness.contracts import Task
from harness.errors import ConfigError
from harness.plugins import Registry
from harness.records import Budget
from harness.runner import identity


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
    trust_remote_code: frozenset[str] = frozenset()
    """Checkpoints whose own code the user has allowed."""

    @property
    def config(self) -> dict[str, Any]:
        """The whole configuration as JSON values."""
        values = as_json(self.method.use.config)
        if self.method.teacher:
            values["teacher"] = {"plugin": self.method.teacher.name, "config": as_json(self.method.teacher.config)}
        if self.method.student:
            values["student"] = self.method.student
        limits = {name: value for name, value in dataclasses.asdict(self.method.budget).items() if value is not None}
        return values | ({"budget": limits} if limits else {})


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
        ConfigError: see `check_method`.
        CheckpointError: a checkpoint that can't be found.
    """
    planner = _Planner(registry, request)
    for target, method, seed in itertools.product(request.targets, request.methods, request.seeds):
        planner.add(target, method, seed)
    return list(planner.found.values())


@dataclass
class _Planner:
    registry: Registry
    request: Request
    found: dict[str, Work] = field(default_factory=dict[str, Work])

    def add(self, target: Target, method: Method, seed: int) -> str:
        """Add the work and, before it, its first stages; return its id."""
        card = check_method(self.registry, method)
        stages = [self.add(target, Method(use=stage), seed) for stage in first_stages(card, method.use)]
        work = self._work(target, method, seed, tuple(dict.fromkeys(stages)))
        self.found.setdefault(work.id, work)
        return work.id

    def _work(self, target: Target, method: Method, seed: int, stages: tuple[str, ...]) -> Work:
        work = Work(
            id="",
            method=method,
            task=target.name,
            split=target.split,
            seed=seed,
            division=self.request.division,
            suite=self.request.suite,
            implementation=identity.implementation(self.registry, method.uses),
            checkpoints=identity.checkpoints_of(method.uses, method.student),
            fingerprint=target.task.fingerprint(target.split),
            exclude_self=target.task.facts.exclude_self,
            first_stages=stages,
            trust_remote_code=self.request.trust_remote_code,
        )
        return dataclasses.replace(work, id=_id(work))


def _id(work: Work) -> str:
    """The same on every machine: checkpoints count by content, tasks by fingerprint, first stages by their ids."""
    return digest(
        {
            "method": work.method.use.name,
            "config": identity.by_content(work.config, work.checkpoints),
            "implementation": work.implementation,
            "task": work.fingerprint,
            "exclude_self": work.exclude_self,
            "seed": work.seed,
            "division": work.division,
            "first_stages": work.first_stages,
        }
    )
