"""A teacher that counts shared words, and a student that learns a weight a word from it."""

import json
import random
from collections import Counter

import numpy as np

from harness_faulty.fault import strike
from harness_faulty.method import Faulty, words_of


class Teacher:
    """Gives the number of shared words."""

    identity = "faulty-teacher 1"

    def __init__(self, config, context):
        pass

    def score(self, pairs):
        strike("teach")
        shared = [set(words_of(query.text)) & set(words_of(document.content)) for query, document in pairs]
        return np.array([len(words) for words in shared], np.float32)


class Taught:
    """Asks the teacher about a few documents of each query, drawn by the seed."""

    def __init__(self, config, context):
        self.context = context
        self.teacher = context.build(config.teacher)

    def distil(self, lesson):
        strike("train")
        chance = random.Random(self.context.seed)
        weights = Counter()
        for example in lesson.examples:
            rows = [*example.positives, *chance.sample(range(len(lesson.corpus)), 4)]
            pairs = [(example.query, lesson.corpus[row]) for row in rows]
            for (_, document), score in zip(pairs, self.teacher.score(pairs), strict=True):
                weights.update({word: float(score) for word in words_of(document.content)})
        (self.context.training / "weights.json").write_text(json.dumps(weights))
        return Student(weights, self.context.seed)


class Student(Faulty):
    """Scores by the weights of shared words."""

    def __init__(self, weights, seed):
        self.weights, self.weight, self.seed = weights, 1.0, seed

    def score(self, query, words):
        return sum(self.weights.get(word, 0.0) for word in set(words_of(query.text)).intersection(words))
