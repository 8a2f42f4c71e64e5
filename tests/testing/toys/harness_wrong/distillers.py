"""A distiller that weighs each word by the teacher's mean score of the pairs that share it, with a fault."""

import random
from collections import defaultdict

import numpy as np

from harness_wrong.retrievers import Overlap, words


class Wrong:
    def __init__(self, config, context):
        self.fault, self.built = config.fault, random.random()

    def distil(self, lesson):
        teacher = lesson.teacher if self.fault == "asks whatever teacher" else lesson.require("score")
        pairs = [(e.query, lesson.corpus[row]) for e in lesson.examples for row in e.positives + e.negatives]
        if lesson.budget.teacher_calls is not None and self.fault != "over budget":
            pairs = pairs[: lesson.budget.teacher_calls]
        scores = teacher.score(pairs)
        if self.fault == "ignores its teacher":
            scores = np.ones(len(pairs))
        seen = defaultdict(list)
        for (query, document), score in zip(pairs, scores, strict=True):
            for word in words(query.text) & words(document.content):
                seen[word].append(float(score))
        weights = {word: 1 + float(np.mean(found)) for word, found in seen.items()}
        if self.fault == "unseeded":
            weights = {word: weight + self.built for word, weight in weights.items()}
        return {"no student": None, "student not sorted": Unsorted(weights)}.get(self.fault, Overlap(weights))


class Unsorted(Overlap):
    def search(self, queries, k):
        run = super().search(queries, k)
        run.scores[:] = run.scores[:, ::-1].copy()
        return run
