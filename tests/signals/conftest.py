"""A teacher that counts what it is asked."""

import numpy as np
import pytest

from harness.records import Document, Query
from harness.signals.store import SignalStore
from harness.signals.teacher import RememberingTeacher


class CountingTeacher:
    """Scores a pair by the lengths of its texts."""

    def __init__(self, identity="toy@1", answer=None):
        self.identity, self.asked, self.answer = identity, [], answer

    def score(self, pairs):
        self.asked += pairs
        scores = np.array([len(q.text) + len(d.text) / 100 for q, d in pairs], np.float32)
        return scores if self.answer is None else self.answer(scores)

    def prefer(self, triples):
        self.asked += triples
        return np.array([0.75 if len(a.text) > len(b.text) else 0.25 for _, a, b in triples], np.float32)

    def embed(self, texts, role):
        self.asked += texts
        return np.array([[len(text), role == "query"] for text in texts], np.float32)

    def order(self, query, docs):
        self.asked.append((query, docs))
        return np.argsort([-len(doc.text) for doc in docs], kind="stable")

    def generate(self, prompts):
        self.asked += prompts
        return [prompt.upper() for prompt in prompts]

    def features(self, pairs):
        self.asked += pairs
        lengths = np.array([[len(q.text), len(d.text)] for q, d in pairs], np.float32)
        return {"lengths": lengths, "odd": lengths.astype(np.int16) % 2 == 1, "sum": lengths.sum(axis=1)}

    def judge(self, pairs):
        self.asked += pairs
        return np.array([len(d.text) % 3 for _, d in pairs], np.int32)


@pytest.fixture
def counting():
    """The class of counting teachers."""
    return CountingTeacher


@pytest.fixture
def make_pairs():
    """A function: numbers of queries and documents → all pairs of them."""
    return lambda queries, docs: [
        (Query(id=f"q{i}", text="q" * (i + 1)), Document(id=f"d{j}", text="d" * (j + 1)))
        for i in range(queries)
        for j in range(docs)
    ]


@pytest.fixture
def store(tmp_path):
    return SignalStore(tmp_path / "signals")


@pytest.fixture
def remembering(store):
    """A function: a teacher → the same, remembering as a new process would: nothing has been read yet."""
    return lambda teacher, **more: RememberingTeacher(teacher=teacher, store=SignalStore(store.root), **more)
