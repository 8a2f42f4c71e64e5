"""Data progress: queries whose positive the teacher ranks first and the student nearly so, hardest negatives first."""

import logging

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64

from harness.nn.course import Course
from harness.nn.lists import Lists
from harness.nn.students import Student
from harness.nn.taught import teacher_scores, within_budget

log = logging.getLogger(__name__)

BLOCK = 64
"""Lists that the student scores at once."""

Scores = Float32[np.ndarray, "queries docs"]


def ranks(scores: Scores) -> Int64[np.ndarray, " queries"]:
    """Rank of the positive, which is in column 0: 1 plus the documents that are scored higher."""
    return 1 + (scores[:, 1:] > scores[:, :1]).sum(axis=1)


def confusing(student: Scores, teacher: Scores, worst: int) -> Bool[np.ndarray, " queries"]:
    """Queries whose positive is first for the teacher, and for the student at ranks 2 to `worst`."""
    own = ranks(student)
    return (ranks(teacher) == 1) & (own >= 2) & (own <= worst)


def lists(course: Course, student: Student, *, depth: int, calls: int | None, scale: float = 1.0) -> Lists:
    """Lists of the confusing queries, with the teacher's scores; of all queries if there is none.

    Args:
        course: whose queries, documents and teacher these are.
        student: as it is now.
        depth: how many of its best negatives the teacher ranks again.
        calls: that the teacher may be asked; each list takes depth + 1.
        scale: factor on the teacher's scores.
    """
    mined = course.mined(student.retriever(), first=1, last=depth, count=depth)
    mined = within_budget(mined, calls)
    own, theirs = scores(course.lists(mined), student), scale * teacher_scores(course.lesson, mined)
    chosen = np.flatnonzero(confusing(own, theirs, depth))
    course.facts["confusing"] = {"chosen": len(chosen), "queries": len(mined)}
    if not len(chosen):
        log.warning("the student ranks no positive at 2 to %d where the teacher ranks it first: all queries", depth)
        chosen = np.arange(len(mined))
    columns = descending(own[chosen], course.config.documents)
    picked = mined.select(chosen.tolist())
    sorted_lists = type(picked)(queries=picked.queries, rows=np.take_along_axis(picked.rows, columns, axis=1))
    return course.lists(sorted_lists, teacher=np.take_along_axis(theirs[chosen], columns, axis=1))


def descending(student: Scores, documents: int) -> Int64[np.ndarray, "queries documents"]:
    """Columns of the positive and of the negatives that the student scores highest, best first."""
    order = 1 + np.argsort(-student[:, 1:], axis=1, kind="stable")
    return np.concatenate([np.zeros((len(student), 1), np.int64), order[:, : documents - 1]], axis=1)


@torch.no_grad()
def scores(of: Lists, student: Student) -> Scores:
    """The student's scores of all lists."""
    starts = range(0, len(of), BLOCK)
    views = (of.view(student, range(start, min(start + BLOCK, len(of)))) for start in starts)
    return np.concatenate([view.scores.float().cpu().numpy() for view in views])
