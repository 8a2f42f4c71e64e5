"""Three losses against joined teacher vectors, in three stages."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.card import Use
from harness.contracts import Context, Embedder, Lesson, Retriever
from harness.errors import SignalError
from harness.nn.course import Course
from harness.nn.mining import Candidates
from harness.nn.recipe import View
from harness.nn.taught import teacher_vectors, within_budget
from harness.nn.training.stage import Stage
from harness_jasper_stella import Config
from harness_jasper_stella.heads import FULL, Headless, frozen
from harness_jasper_stella.losses import Weights, drawn


class JasperStella:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context
        self._weights = Weights(
            cosine=config.cosine_weight,
            similarity=config.similarity_weight,
            order=config.order_weight,
            margin=config.margin,
        )

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student with heads on it, and put one of them on it for good.

        Raises:
            SignalError: a teacher gives no vectors.
        """
        teachers = [lesson.require("embed"), *map(self._further, self._config.teachers)]
        course = Course(lesson=lesson, context=self._context, config=self._config)
        each = len(teachers) * (1 + self._config.documents)
        lists = within_budget(course.candidates, lesson.budget.teacher_calls, each)
        targets = Targets(lesson, lists, teachers)
        student = Headless(lesson.student, self._context, self._config.max_length)
        heads = student.heads(targets.width, self._config.short_dims)
        course.train(self._stages(course, lists, targets, student, heads))
        student.model.append(heads[str(self._config.output or FULL)])
        return course.finish(student)

    def _further(self, use: Use) -> Embedder:
        teacher = self._context.build(use)
        if not isinstance(teacher, Embedder):
            raise SignalError(f"expected teachers that give embed, {use.name} doesn't: take another")
        return teacher

    def _stages(
        self, course: Course, lists: Candidates, targets: "Targets", student: Headless, heads: nn.ModuleDict
    ) -> list[Stage]:
        """The head, the top with it, everything; what has no share of the steps is left out."""
        config = self._config
        model = nn.ModuleDict({"student": student.model, "heads": heads})
        rest = round(1 - config.head_share - config.top_share, 9)
        plan = [
            ("head", config.head_share, 0, ()),
            ("top", config.top_share, config.last_layers, ()),
            ("all", rest, None, config.short_dims),
        ]
        plan = [part for part in plan if part[1] > 0]
        steps = course.share(*(share for _, share, _, _ in plan))
        return [
            course.stage(
                name,
                student,
                partial(self.loss, targets=targets, heads=heads, short=short),
                course.lists(lists),
                steps=taken,
                model=model,
                rates={"heads.": config.head_rate},
                frozen=frozen(model, last, bool(short)),
            )
            for (name, _, last, short), taken in zip(plan, steps, strict=True)
        ]

    def loss(self, view: View, targets: "Targets", heads: nn.ModuleDict, short: Sequence[int] = ()) -> Tensor:
        """All three losses of the full head, and the mean over the short ones of theirs."""
        pooled, teacher = targets.batch(view)
        pairs = drawn(len(pooled), self._config.pairs, (self._context.seed, view.step))
        full = _project(heads[FULL], pooled)
        loss = self._weights.all(full, teacher, pairs)
        matched = full.detach() if self._config.short_teacher == "self" else teacher
        parts = [self._weights.by_pairs(_project(heads[str(dim)], pooled), matched, pairs) for dim in short]
        return loss + torch.stack(parts).mean() if parts else loss


class Targets:
    """The teachers' joined vectors of all queries and documents of the lists."""

    def __init__(self, lesson: Lesson, lists: Candidates, teachers: Sequence[Embedder]) -> None:
        """Ask all teachers."""
        found = [teacher_vectors(lesson, lists, teacher) for teacher in teachers]
        self._queries, self._documents = (joined(of_role) for of_role in zip(*found, strict=True))
        self.width: int = self._queries.shape[1]

    def batch(self, view: View) -> tuple[Tensor, Tensor]:
        """The student's and the teachers' vectors of a batch's queries and distinct documents, row by row."""
        rows, places = np.unique(view.rows.flatten().cpu().numpy(), return_index=True)
        documents = view.document_vectors.flatten(0, 1)[torch.from_numpy(places).to(view.rows.device)]
        student = torch.cat([view.query_vectors, documents])
        teacher = np.concatenate([self._queries[list(view.positions)], self._documents[rows]])
        return student, torch.as_tensor(teacher, device=student.device)


def joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Unit vectors put one after the other, as unit vectors: a dot product is the mean of the teachers' cosines."""
    return _unit(np.concatenate([_unit(part) for part in parts], axis=1))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _project(head: Any, pooled: Tensor) -> Tensor:
    return head({"sentence_embedding": pooled})["sentence_embedding"]
