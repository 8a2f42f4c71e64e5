"""The teachers page: who taught whom, what was asked of it, and what it reaches itself."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.store.records import Evaluation
from harness_leaderboard.catalogue import method_key
from harness_leaderboard.labels import Key, labels, options
from harness_leaderboard.lessons import Lesson, lessons_of
from harness_leaderboard.model import Method
from harness_leaderboard.public import publish, without_places
from harness_leaderboard.sections import Board, Row, Section
from harness_leaderboard.teaching import known_as, texts_in

AMOUNTS = ("teacher_calls", "teacher_answers_stored", "teacher_seconds")
"""What is counted of a teacher's work."""


@dataclass(frozen=True, kw_only=True)
class Student:
    """A method that the teacher taught."""

    method: Method
    """The method."""
    lessons: int
    """Trainings, one a seed."""
    spent: Mapping[str, float]
    """Sums over the trainings by the names of `AMOUNTS`; what is not known of every one is absent."""


@dataclass(frozen=True, kw_only=True)
class Class:
    """What a teacher did in one section."""

    section: Section
    """The section."""
    students: Sequence[Student]
    """By label."""
    total: Mapping[str, float]
    """Sums over the students; what is not known of every one is absent."""
    ceilings: Sequence[Row]
    """Rows of the section in which the teacher itself was evaluated."""


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A teacher with one configuration."""

    name: str
    """The plugin, or what the training calls it."""
    apart: str
    """Options that tell it from the plugin's other configurations."""
    options: Mapping[str, str]
    """Its configuration, flat."""
    checkpoints: Sequence[tuple[str, str]]
    """Names of its checkpoints and what their content is known by."""
    classes: Sequence[Class]
    """By section."""


def content(board: Board) -> dict[str, Any]:
    """What the template is filled with."""
    taught: dict[Key, list[Evaluation]] = defaultdict(list)
    for same in _by_configuration(board):
        if key := _key(same[0]):
            taught[key] += same
    configurations = {key: _options(found[0]) for key, found in taught.items()}
    apart = labels(configurations)
    made = [_teacher(board, configurations[key], apart[key], taught[key]) for key in sorted(taught)]
    return {"teachers": sorted(made, key=lambda teacher: (teacher.name, teacher.apart)), "AMOUNTS": AMOUNTS}


def _by_configuration(board: Board) -> Iterable[list[Evaluation]]:
    """The evaluations that count and were trained, those of one configuration together: they had one teacher."""
    found: dict[tuple[str, str], list[Evaluation]] = defaultdict(list)
    for evaluation in board.evaluations:
        if evaluation.id in board.shown and evaluation.training:
            names = "\0".join(texts_in(evaluation.training.get("teachers")))
            found[evaluation.config_digest, names].append(evaluation)
    return found.values()


def teacher_label(evaluation: Evaluation) -> str:
    """What taught it, with the options of the teacher; empty for what had no teacher."""
    key = _key(evaluation)
    settings = " ".join(f"{name}={value}" for name, value in _options(evaluation).items())
    return f"{without_places(key[0])} {settings}".strip() if key else ""


def _key(evaluation: Evaluation) -> Key | None:
    """The teacher's name and configuration; None for what had no teacher."""
    teacher, names = evaluation.config.get("teacher"), evaluation.training.get("teachers")
    if not evaluation.training or not names:
        return None
    name = teacher.get("plugin") if isinstance(teacher, Mapping) else None
    text = json.dumps(publish(teacher or names), sort_keys=True, default=str)
    return str(name or ", ".join(texts_in(names)) or "not named"), text


def _options(evaluation: Evaluation) -> dict[str, str]:
    teacher = evaluation.config.get("teacher")
    config = teacher.get("config") if isinstance(teacher, Mapping) else None
    return options(config, evaluation.checkpoints) if isinstance(config, Mapping) else {}


def _teacher(
    board: Board, configuration: Mapping[str, str], label: tuple[str, str], taught: Sequence[Evaluation]
) -> Teacher:
    asked = {text for one in taught for text in texts_in([one.training.get("teachers"), one.config.get("teacher")])}
    known = {pair for one in taught for pair in one.checkpoints.items() if pair[0] in asked}
    classes = [_class(section, taught, asked) for section in board.sections]
    return Teacher(
        name=label[0],
        apart=label[1],
        options=configuration,
        checkpoints=sorted(known),
        classes=[found for found in classes if found.students],
    )


def _class(section: Section, taught: Sequence[Evaluation], asked: set[str]) -> Class:
    by_method: dict[Key, list[Evaluation]] = defaultdict(list)
    for evaluation in taught:
        if (evaluation.division, evaluation.suite) == (section.division, section.suite):
            by_method[method_key(evaluation)].append(evaluation)
    methods = {row.method.key: row.method for row in section.rows}
    students = [_student(methods[key], by_method[key]) for key in by_method]
    return Class(
        section=section,
        students=sorted(students, key=lambda student: (student.method.label, student.method.key)),
        total=_sums([student.spent for student in students]),
        ceilings=[row for row in section.rows if _is_teacher(row, asked)],
    )


def _student(method: Method, evaluations: Sequence[Evaluation]) -> Student:
    lessons = lessons_of(evaluations)
    return Student(method=method, lessons=len(lessons), spent=_sums([_amounts(lesson) for lesson in lessons]))


def _amounts(lesson: Lesson) -> dict[str, float]:
    found = {name: lesson.cost(name) for name in AMOUNTS}
    return {name: value for name, value in found.items() if value is not None}


def _sums(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    known = [name for name in AMOUNTS if parts and all(name in part for part in parts)]
    return {name: sum(part[name] for part in parts) for name in known}


def _is_teacher(row: Row, asked: set[str]) -> bool:
    evaluations = [found for standing in row.standings.values() for found in standing.result.evaluations]
    ceilings = [one for one in evaluations if one.role == "ceiling"]
    return any(known_as(one.method.name, one.config, one.training) & asked for one in ceilings)
