"""What a distilled student says of itself, and how anyone loads it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.store.places import last_part
from harness.store.records import Evaluation
from harness_leaderboard.lessons import lessons_of
from harness_leaderboard.numbers import plain
from harness_leaderboard.public import without_places
from harness_leaderboard.teachers import teacher_label

LOADERS = {
    "dense": "SentenceTransformer",
    "static": "SentenceTransformer",
    "sparse": "SparseEncoder",
    "late-interaction": "MultiVectorEncoder",
    "reranker": "CrossEncoder",
}
"""A method's family, or its option `form` → the class of sentence-transformers that loads its student."""
LESSON = re.compile(r"[0-9a-f]{8,64}")
"""Names of lessons; anything else is not put into a command that people copy."""


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """Of the students of one method."""

    student: str
    """The checkpoint that was trained."""
    teacher: str
    """The teacher with its options; empty for labels alone."""
    tasks: str
    """Names of the tasks whose training data was used."""
    budget: str
    """Its limits."""
    loader: str
    """The class that loads it."""
    folders: Sequence[tuple[int, str]]
    """Seed and folder of each training."""


def model_card(evaluations: Sequence[Evaluation]) -> ModelCard | None:
    """The card of what these evaluations of one method trained; None if nothing was, or its class isn't known."""
    trained = [evaluation for evaluation in evaluations if evaluation.training]
    if not trained or (loader := _loader(trained[0])) is None:
        return None
    one, training = trained[0], trained[0].training
    budget = training.get("budget")
    return ModelCard(
        student=last_part(plain(training.get("student", ""))),
        teacher=teacher_label(one),
        tasks=without_places(plain(training.get("tasks", ""))),
        budget=_budget(budget) if isinstance(budget, Mapping) else "",
        loader=loader,
        folders=[(lesson.seed, lesson.id) for lesson in lessons_of(trained) if LESSON.fullmatch(lesson.id)],
    )


def _loader(evaluation: Evaluation) -> str | None:
    form, family = evaluation.config.get("form"), evaluation.method.card.get("family")
    found = LOADERS.get(form) if isinstance(form, str) else None
    return found or (LOADERS.get(family) if isinstance(family, str) else None)


def _budget(limits: Mapping[str, object]) -> str:
    shown = {name: f"{value:,}" if isinstance(value := limits[name], int) else plain(value) for name in sorted(limits)}
    return ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in shown.items())
