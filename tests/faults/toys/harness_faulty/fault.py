"""What goes wrong, and when: a file named by `FAULTY` says at which step of the whole plan, whatever process takes it.

    [{"kind": "raise", "place": "search", "left": 7}]

The identity of an evaluation doesn't depend on it, so that a disturbed plan must end as an undisturbed one.
"""

import fcntl
import json
import os
import signal
import sys
import time

import numpy as np

from harness.records import Run


def due(place: str) -> str:
    """The kind of fault that is due at this step; empty if none is. Each is due once."""
    if not (file := os.environ.get("FAULTY")):
        return ""
    with open(file, "r+") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        planned = json.load(opened)
        here = [fault for fault in planned if fault["place"] == place]
        if not here:  # nothing is written where a kill might leave half of it
            return ""
        for fault in here:
            fault["left"] -= 1
        opened.seek(0)
        opened.truncate()
        json.dump(planned, opened)
    return next((fault["kind"] for fault in here if fault["left"] == 0), "")


def strike(place: str) -> str:
    """Go wrong if it is time to; a kind that only the caller can do is returned."""
    match kind := due(place):
        case "raise":
            raise RuntimeError("planted")
        case "SystemExit":
            raise SystemExit(0)
        case "exit":
            os._exit(3)
        case "exit 0":
            os._exit(0)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(3600)
        case "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(3600)
        case "print":
            sys.stdout.write("planted on stdout\n" * 5000)
            os.write(1, b"planted on the descriptor\n" * 5000)
    return kind


def garbled(run: Run, kind: str) -> Run | None:
    """The run as the contract forbids it; as it is for any other kind of fault."""
    rows, scores, ids = run.rows.copy(), run.scores.copy(), run.query_ids
    match kind:
        case "NaN" | "infinite score":
            scores[1, 0] = np.nan if kind == "NaN" else np.inf
        case "unknown row":
            rows[1, 0] = 10**6
        case "row twice":
            rows[1, 1] = rows[1, 0]
        case "order of scores":
            rows, scores = rows[:, ::-1].copy(), scores[:, ::-1].copy()
        case "order of queries":
            ids, rows, scores = ids[::-1], rows[::-1].copy(), scores[::-1].copy()
        case "too few queries":
            ids, rows, scores = ids[:-1], rows[:-1], scores[:-1]
        case "dtype":
            scores = scores.astype(np.float64)
        case "shape":
            scores = scores[:, :-1]
    return None if kind == "None" else Run(query_ids=ids, rows=rows, scores=scores)
