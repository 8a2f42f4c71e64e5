"""A process that asks a slow teacher for many scores and writes down every question that reaches the teacher."""

import json
import sys
import time
from pathlib import Path

import numpy as np

from harness.records import Document, Query
from harness.signals import store
from harness.signals.store import SignalStore
from harness.signals.teacher import RememberingTeacher


class SlowTeacher:
    """Takes a millisecond a pair and gives the query's number."""

    identity = "slow"

    def __init__(self, log: str) -> None:
        self.log = Path(log)

    def score(self, pairs):
        with self.log.open("a") as file:
            for query, _ in pairs:
                time.sleep(0.001)
                file.write(f"{query.id}\n")
                file.flush()
        return np.array([float(query.id) for query, _ in pairs], np.float32)


def main(root: str, log: str, pairs: int) -> None:
    questions = [(Query(id=str(i), text=f"q{i}"), Document(id=str(i), text=f"d{i}")) for i in range(pairs)]
    teacher = RememberingTeacher(teacher=SlowTeacher(log), store=SignalStore(Path(root)))
    assert teacher.score(questions).tolist() == list(range(pairs))
    sys.stdout.write(json.dumps({"calls": teacher.account.calls, "stored": teacher.account.stored}))


if __name__ == "__main__":
    store.SHARD_SECONDS = float(sys.argv[4])
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
