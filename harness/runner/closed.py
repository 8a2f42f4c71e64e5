"""A closed suite → its methods, each with the student, teacher, training data and budget that the suite fixes.

Only the method differs: one that brings a backbone, other data, another teacher or more steps is refused.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from harness.card import Card, Use
from harness.config import checkpoints, use, uses
from harness.errors import ConfigError
from harness.nn.checkpoint import TRAINED, part_of
from harness.plugins import Registry
from harness.records import Budget
from harness.runner.plan import Method, Planner, Request
from harness.suites import Suite, SuiteMethod, SuiteTeacher, SuiteTraining


def methods(
    registry: Registry, suite: Suite, request: Request, plugins: Sequence[str], options: Mapping[str, Mapping[str, str]]
) -> list[Method]:
    """The suite's methods, or those named, under its rules.

    Args:
        registry: where plugins are found.
        suite: a closed suite.
        request: its tasks and seeds, for the lessons that its teachers are trained by.
        plugins: the methods to run, by plugin or by what the suite calls them; none: all of the suite.
        options: further options of methods by the same names, which must leave alone what the suite fixes.

    Raises:
        ConfigError: a method that steps outside of the suite, naming what is fixed; a plugin without a place in it.
    """
    assert suite.training is not None, "a closed suite has been read"
    rules = _Rules(registry, suite, request)
    if not plugins:
        return [rules.method(method, {}) for method in suite.methods]
    chosen = [(method, options.get(name, {})) for name in plugins for method in _called(suite, name)]
    found = [rules.method(method, further) for method, further in chosen]
    return [*rules.trainers(found, [method for method, _ in chosen]), *found]


def _called(suite: Suite, name: str) -> list[SuiteMethod]:
    """The suite's methods of this plugin or name; else a method that the suite doesn't name, under its rules."""
    return [method for method in suite.methods if name in (method.plugin, method.name)] or [SuiteMethod(plugin=name)]


class _Rules:
    def __init__(self, registry: Registry, suite: Suite, request: Request) -> None:
        self._registry, self._suite, self._request = registry, suite, request
        self._named = {method.name: method for method in suite.methods if method.name}
        self._works: dict[str, list[Any]] = {}
        training = suite.training
        assert training is not None, "a closed suite has been read"
        self._training: SuiteTraining = training

    def method(self, chosen: SuiteMethod, further: Mapping[str, str]) -> Method:
        """A method under the suite's rules."""
        card, _ = self._registry.find(chosen.plugin, "retriever", "distiller")
        after = self._after(chosen.options)
        options = self._resolved({**self._fixed(card, further), **chosen.options, **further})
        picked = use(self._registry, (card.kind,), card.name, options)
        if chosen.role != "ceiling":
            self._check_backbone(card, picked)
        if card.kind != "distiller":
            return Method(use=picked, role=chosen.role, after=after, seeds=chosen.seeds)
        teacher = self._teacher(card, chosen)
        taught = (teacher, self._after(teacher.options)) if teacher else (None, ())
        found = Method(
            use=picked,
            teacher=self._built(taught[0]) if taught[0] else None,
            student=chosen.student or self._training.student,
            budget=chosen.budget or self._training.budget,
            train_on=self._training.tasks,
            candidates="" if chosen.role == "ceiling" else self._training.candidates,
            role=chosen.role,
            after=(*after, *(one for one in taught[1] if one not in after)),
            seeds=chosen.seeds,
        )
        if chosen.role != "ceiling":
            self._check_limits(chosen, found)
        return found

    def trainers(self, found: Sequence[Method], chosen: Sequence[SuiteMethod]) -> list[Method]:
        """Those methods that have to come first, beside the chosen ones, since they train what has been asked for."""
        wanted = {work_id for method in found for work_id in method.after}
        works = list(self._works.items())  # looking for more adds to them
        named = [self._named[name] for name, lessons in works if wanted & {work.id for work in lessons}]
        first = [
            dataclasses.replace(self.method(one, {}), seeds=self._first_seed(one)) for one in named if one not in chosen
        ]
        return [*self.trainers(first, [*chosen, *named]), *first] if first else []

    def _first_seed(self, method: SuiteMethod) -> tuple[int, ...]:
        return tuple((method.seeds or self._request.seeds)[:1])

    def _fixed(self, card: Card, further: Mapping[str, str]) -> dict[str, str]:
        """The options that the suite fixes and this method has."""
        knobs = {knob.name for knob in dataclasses.fields(card.config)}
        fixed = {key: value for key, value in self._training.options.items() if key.partition(".")[0] in knobs}
        if card.kind == "distiller":
            for key in further:
                if key in fixed:
                    raise ConfigError(
                        f"{card.name}: option {key!r} is fixed at {fixed[key]} by the closed suite {self._suite.name}; "
                        "leave it, or run in the open division without --suite"
                    )
        return fixed if card.kind == "distiller" else {}

    def _teacher(self, card: Card, chosen: SuiteMethod) -> SuiteTeacher | None:
        if not card.needs:
            return None
        for teacher in self._training.teachers:
            gives = self._registry.find(teacher.plugin, "teacher")[0].gives
            if all(signal in gives for signal in card.needs) and chosen.teacher in ("", teacher.name, teacher.plugin):
                return teacher
        wanted = f" named {chosen.teacher}" if chosen.teacher else ""
        known = ", ".join(teacher.name or teacher.plugin for teacher in self._training.teachers)
        raise ConfigError(
            f"{card.name} needs a teacher that gives {', '.join(card.needs)}; the closed suite {self._suite.name} has "
            f"none{wanted}: {known or 'no teacher'}"
        )

    def _built(self, teacher: SuiteTeacher) -> Use:
        return use(self._registry, ("teacher",), teacher.plugin, self._resolved(teacher.options))

    def _resolved(self, options: Mapping[str, str]) -> dict[str, str]:
        """Options in which `trained:NAME` names the lesson that trains it."""
        return {key: self._trained(value) for key, value in options.items()}

    def _trained(self, value: str) -> str:
        name = value.removeprefix(TRAINED)
        if not value.startswith(TRAINED) or name not in self._named:
            return value
        return f"{TRAINED}{self._lessons(name)[0].lesson}"

    def _after(self, options: Mapping[str, str]) -> tuple[str, ...]:
        """Ids of the evaluations that train what these options name."""
        names = [value.removeprefix(TRAINED) for value in options.values() if value.startswith(TRAINED)]
        return tuple(work.id for name in names if name in self._named for work in self._lessons(name)[:1])

    def _lessons(self, name: str) -> list[Any]:
        """The evaluations of a method that others use, the first of which trains it."""
        if name not in self._works:
            planner = Planner(self._registry, self._request)
            method = self.method(self._named[name], {})
            (seed,) = self._first_seed(self._named[name])
            ids = [planner.add(target, method, seed) for target in self._request.targets]
            self._works[name] = [planner.found[work_id] for work_id in ids]
        return self._works[name]

    def _check_limits(self, chosen: SuiteMethod, method: Method) -> None:
        """Refuse another student or budget than the suite's.

        Raises:
            ConfigError: naming what is fixed.
        """
        training = self._training
        if (method.student, method.budget) != (training.student, training.budget):
            raise ConfigError(
                f"{chosen.plugin}: the closed suite {self._suite.name} fixes student {training.student} and budget "
                f"{_words(training.budget)}; only a ceiling may have others"
            )

    def _check_backbone(self, card: Card, picked: Use) -> None:
        """Refuse a model that is neither the student, nor a teacher's, nor one that the suite allows.

        Raises:
            ConfigError: naming it.
        """
        training = self._training
        allowed = {training.student, *training.checkpoints}
        named = {name for teacher in training.teachers for name in self._resolved(teacher.options).values()}
        for part in uses(picked):
            for name in checkpoints(part.config):
                if name not in allowed | named and part_of(name)[0] not in allowed:
                    raise ConfigError(
                        f"{card.name} brings a backbone of its own, {name!r}; the closed suite {self._suite.name} "
                        f"allows {', '.join(sorted(allowed))}: use one of these, or run in the open division "
                        "without --suite"
                    )


def _words(budget: Budget) -> str:
    limits = {name: value for name, value in dataclasses.asdict(budget).items() if value is not None}
    return ", ".join(f"{name} {value:g}" for name, value in limits.items()) or "without limit"
