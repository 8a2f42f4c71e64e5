"""The toys' methods."""

import json
import os
import signal
import time

import numpy as np

from harness.records import Run
from harness.scoring.order import topk


class Toy:
    """Scores a document by the words it shares with the query."""

    def __init__(self, config, context):
        self.config, self.context = config, context

    def index(self, corpus):
        self.words = [set(text.lower().split()) for text in corpus.contents()]
        self.id_rank = np.asarray(corpus.id_rank)

    def search(self, queries, k):
        if not queries:
            return Run(query_ids=(), rows=np.zeros((0, k), np.int32), scores=np.zeros((0, k), np.float32))
        time.sleep(self.config.seconds)
        self._go_wrong()
        own = [set(query.text.lower().split()) for query in queries]
        scores = np.array([[len(q & d) for d in self.words] for q in own], np.float32) * self.config.weight
        if self.config.noise:
            scores += np.random.default_rng(self.context.seed).random(scores.shape, np.float32)
        rows, best = topk(scores, k, self.id_rank)
        if self.config.fault == "nan":
            best[0, 0] = np.nan
        return Run(query_ids=tuple(query.id for query in queries), rows=rows, scores=best)

    def _go_wrong(self):
        match self.config.fault:
            case "raise":
                raise RuntimeError("planted")
            case "tell":
                raise RuntimeError(
                    f"{dict(os.environ)} at {os.uname().nodename} https://u:{os.environ['HF_TOKEN']}@host/v1"
                )
            case "exit":
                os._exit(3)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "print":
                print("noise on stdout")

    def save(self, folder):
        (folder / "words.json").write_text(json.dumps([sorted(words) for words in self.words]))

    def load(self, folder, corpus):
        self.words = [set(words) for words in json.loads((folder / "words.json").read_text())]
        self.id_rank = np.asarray(corpus.id_rank)


class Over:
    """Turns the first stage's ranking round."""

    def __init__(self, config, context):
        self.base = context.build(config.base)

    def index(self, corpus):
        self.base.index(corpus)

    def search(self, queries, k):
        run = self.base.search(queries, 5)
        found = run.rows >= 0
        rows = np.full_like(run.rows, -1)
        scores = np.full_like(run.scores, -np.inf)
        for i, n in enumerate(found.sum(1)):
            rows[i, :n] = run.rows[i, :n][::-1]
            scores[i, :n] = np.arange(n, 0, -1)
        return Run(query_ids=run.query_ids, rows=rows[:, :k], scores=scores[:, :k])

    def save(self, folder):
        self.base.save(folder)

    def load(self, folder, corpus):
        self.base.load(folder, corpus)
