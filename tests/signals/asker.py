"""A process that asks a slow teacher for many scores and writes down every question that reaches the teacher."""

import sys
import time
from pathlib import Path

import numpy as np

from harness.records import Document, Query
from harness.signals import keys
from harness.signals.store import Account, SignalStore, Source


def main(root: str, log: str, pairs: int, shard_seconds: float) -> None:
    questions = [(Query(id=str(i), text=f"q{i}"), Document(id=str(i), text=f"d{i}")) for i in range(pairs)]

    def answer(asked):
        with Path(log).open("a") as file:
            for query, _ in asked:
                time.sleep(0.001)
                file.write(f"{query.id}\n")
                file.flush()
        return np.array([float(query.id) for query, _ in asked], np.float32)

    source = Source(identity="slow", kind="score", answer=answer, description={})
    by_key = {keys.pair_key(question): question for question in questions}
    answers = SignalStore(Path(root)).ask(source, by_key, Account(), shard_seconds)
    assert [answers[key] for key in by_key] == [float(i) for i in range(pairs)]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
