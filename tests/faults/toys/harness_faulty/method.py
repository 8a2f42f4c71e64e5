"""Ranking by shared words, and a second stage over it."""

import json

import numpy as np

from harness.records import Run
from harness.scoring.order import topk
from harness_faulty.fault import garbled, strike


def words_of(text: str) -> list[str]:
    """The words of a text, each once."""
    return sorted(set(text.lower().split()))


class Faulty:
    """Scores a document by the words it shares with the query, and a little chance."""

    def __init__(self, config, context):
        self.weight, self.seed = config.weight, context.seed

    def index(self, corpus):
        texts = corpus.contents()
        self.words = _halving(texts) if strike("read") == "memory" else [words_of(text) for text in texts]
        self.id_rank = np.asarray(corpus.id_rank)

    def search(self, queries, k):
        kind = strike("search" if len(queries) > 1 else "query")
        scores = np.array([[self.score(query, words) for words in self.words] for query in queries], np.float32)
        noise = np.random.default_rng(self.seed).random(len(self.words))
        scores = (scores * self.weight + noise[None, :]).astype(np.float32)
        rows, best = topk(scores.reshape(len(queries), -1), k, self.id_rank)
        return garbled(Run(query_ids=tuple(query.id for query in queries), rows=rows, scores=best), kind)

    def score(self, query, words):
        return len(set(words_of(query.text)).intersection(words))

    def save(self, folder):
        strike("save")
        (folder / "words.json").write_text(json.dumps(self.words))

    def load(self, folder, corpus):
        strike("load")
        self.words = json.loads((folder / "words.json").read_text())
        self.id_rank = np.asarray(corpus.id_rank)


def _halving(texts):
    """The words, read by the harness's own batches, of which those above half of the texts don't fit into memory."""
    import torch

    from harness.nn.batches import encode

    def embed(batch):
        if len(batch) > len(texts) / 2:
            raise torch.OutOfMemoryError
        return [words_of(text) for text in batch]

    return encode(texts, embed, limit=512, budget=1e9)


class Over:
    """Turns the first stage's best five round."""

    def __init__(self, config, context):
        self.base = context.build(config.base)

    def index(self, corpus):
        strike("index")
        self.base.index(corpus)

    def search(self, queries, k):
        kind = strike("search" if len(queries) > 1 else "query")
        run = self.base.search(queries, 5)
        scores = np.tile(np.arange(5, 0, -1, dtype=np.float32), (len(queries), 1))
        return garbled(Run(query_ids=run.query_ids, rows=run.rows[:, 4::-1].copy(), scores=scores), kind)

    def save(self, folder):
        strike("save")
        self.base.save(folder)

    def load(self, folder, corpus):
        strike("load")
        self.base.load(folder, corpus)
