"""The tiny task with a fault."""

import dataclasses
import random

import numpy as np

from harness.testing.tiny import tiny_task


class Wrong:
    def __init__(self, config, context):
        self.fault, self.inner, self.built = config.fault, tiny_task(context.folder, "wrong-task"), random.random()

    @property
    def facts(self):
        changed = {
            "facts without source": {"source": ""},
            "facts of another name": {"name": "tiny"},
            "facts of another split": {"split": "dev"},
            "facts with an unknown measure": {"measures": ("nDGC@10",)},
        }
        return dataclasses.replace(self.inner.facts, **changed.get(self.fault, {}))

    def corpus(self):
        return Corpus(self.inner.corpus(), self.fault)

    def queries(self, split):
        queries = list(self.inner.queries(split))
        match self.fault:
            case "queries in another order":
                return queries[::-1]
            case "a query left out":
                return queries[1:]
            case "a query without text":
                return [dataclasses.replace(queries[0], text=" "), *queries[1:]]
            case "queries differ":
                return [dataclasses.replace(queries[0], text=str(self.built)), *queries[1:]]
        return queries

    def qrels(self, split):
        qrels = self.inner.qrels(split)
        rows, grades = qrels.rows.copy(), qrels.grades.copy()
        match self.fault:
            case "rows beyond the corpus":
                rows[-1] = 10_000
            case "no relevant document":
                grades[slice(*qrels.offsets[:2])] = 0
            case "judged twice":
                rows[slice(*qrels.offsets[:2])] = rows[0]
        return dataclasses.replace(qrels, rows=rows, grades=grades)

    def examples(self):
        first, *others = self.inner.examples()
        match self.fault:
            case "example beyond the corpus":
                first = dataclasses.replace(first, negatives=(10_000,))
            case "example on both sides":
                first = dataclasses.replace(first, negatives=first.positives)
            case "example without positive":
                first = dataclasses.replace(first, positives=())
            case "trains on test":
                first = dataclasses.replace(first, query=self.inner.queries("test")[0])
        return (first, *others)

    def fingerprint(self, split):
        return str(self.built) if self.fault == "fingerprint differs" else self.inner.fingerprint(split)


class Corpus:
    """The tiny corpus with a fault."""

    def __init__(self, inner, fault):
        self.inner, self.fault = inner, fault
        self.fingerprint, self.folder = inner.fingerprint, inner.folder
        self.ids = [inner.ids[0], *inner.ids[1:]]
        if fault == "duplicate document ids":
            self.ids[1] = self.ids[0]
        self.id_rank = np.arange(len(inner)) if fault == "id_rank is the row" else inner.id_rank

    def __len__(self):
        return len(self.inner)

    def __getitem__(self, row):
        return self.inner[row - 1 if self.fault == "rows shifted" and row else row]

    def contents(self, rows=None):
        texts = self.inner.contents(rows)
        return [text.lower() for text in texts] if self.fault == "contents differ" else texts

    def row_of(self, doc_id):
        return self.inner.row_of(doc_id)
