"""A retriever by shared words, weighted by rarity."""

import json
import random

import numpy as np

from harness.records import Run
from harness.scoring.order import topk


def words(text):
    return set("".join(sign if sign.isalnum() else " " for sign in text.lower()).split())


class Overlap:
    """The sum of the weights of the words that query and document share."""

    def __init__(self, weights=None):
        self.weights = weights or {}

    def index(self, corpus):
        self.documents = [words(text) for text in corpus.contents()]
        self.id_rank = np.asarray(corpus.id_rank)

    def search(self, queries, k):
        scores = np.zeros((len(queries), len(self.documents)), np.float32)
        for row, query in enumerate(queries):
            own = words(query.text)
            scores[row] = [sum(self.weights.get(word, 1.0) for word in own & document) for document in self.documents]
        rows, best = topk(scores, k, self.id_rank)
        return Run(query_ids=tuple(query.id for query in queries), rows=rows, scores=best)

    def save(self, folder):
        (folder / "words.json").write_text(json.dumps([sorted(document) for document in self.documents]))

    def load(self, folder, corpus):
        self.documents = [set(document) for document in json.loads((folder / "words.json").read_text())]
        self.id_rank = np.asarray(corpus.id_rank)


class Wrong(Overlap):
    """The same with a fault."""

    def __init__(self, config, context):
        super().__init__()
        self.fault, self.built = config.fault, random.random()
        self.loaded = False

    def load(self, folder, corpus):
        super().load(folder, corpus)
        self.loaded = True

    def search(self, queries, k):
        if self.fault == "fails without queries" and not queries:
            raise IndexError("list index out of range")
        if self.fault == "fails when deep" and k > len(self.documents):
            raise ValueError("kth out of bounds")
        run = super().search(queries, k + (self.fault == "more than k"))
        ids, rows, scores = list(run.query_ids), run.rows.copy(), run.scores.copy()
        if len(queries) and rows.shape[1]:
            ids, rows, scores = self._spoil(queries, ids, rows, scores)
        return Run(query_ids=tuple(ids), rows=rows, scores=scores)

    def _spoil(self, queries, ids, rows, scores):  # noqa: C901 - one branch a fault
        match self.fault:
            case "nan":
                scores[-1, 0] = np.nan
            case "nan when nothing is known":
                scores[[not words(query.text) & set().union(*self.documents) for query in queries]] = np.nan
            case "unknown row":
                rows[-1, 0] = len(self.documents)
            case "unsorted":
                scores = scores[:, ::-1].copy()
            case "duplicate":
                rows[:, -1] = rows[:, 0]
            case "float64":
                scores = scores.astype(np.float64)
            case "other query order":
                ids, rows, scores = ids[::-1], rows[::-1], scores[::-1]
            case "sorted by length, ids not":
                order = np.argsort([len(query.text) for query in queries], kind="stable")
                rows, scores = rows[order], scores[order]
            case "normalised over the batch":
                scores = scores / max(1, scores[np.isfinite(scores)].max())
            case "unseeded":
                scores = scores * np.float32(1 + self.built)
            case "forgets on load":
                scores = scores * np.float32(0.5 if self.loaded else 1)
            case "ranks by chance":
                rows = np.stack([np.random.default_rng(len(q.text)).permutation(len(self.documents)) for q in queries])
                rows = rows[:, : scores.shape[1]].astype(np.int32)
                scores = scores[:, : rows.shape[1]]
        return ids, rows, scores
