"""Our scoring against pytrec_eval's, in one run, on synthetic rankings of MS MARCO's size.

Run: `python benchmarks/scoring.py [queries] [depth]`; only the ratio counts. Ours includes every check of the run;
pytrec_eval's includes the dictionaries that it needs, timed apart too.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytrec_eval

from harness.records import Qrels, Run
from harness.scoring.measures import score

MEASURES = {
    "nDCG@10": "ndcg_cut_10",
    "RR": "recip_rank",
    "R@100": "recall_100",
    "R@1000": "recall_1000",
    "AP": "map",
}
DOCS = 100_000
JUDGED = 20


def synthetic(queries: int, depth: int) -> tuple[Run, Qrels]:
    chance = np.random.default_rng(0)
    ids = tuple(f"q{query}" for query in range(queries))
    rows = np.array([chance.choice(DOCS, depth, replace=False) for _ in ids], np.int32)
    scores = -np.sort(-chance.normal(size=rows.shape).astype(np.float32).round(3), axis=1)
    judged = np.concatenate([chance.choice(ranking, JUDGED, replace=False) for ranking in rows])
    grades = chance.integers(0, 4, len(judged)).astype(np.int32)
    offsets = np.arange(queries + 1, dtype=np.int64) * JUDGED
    run = Run(query_ids=ids, rows=rows, scores=scores)
    return run, Qrels(query_ids=ids, offsets=offsets, rows=judged, grades=grades)


def as_dictionaries(run: Run, qrels: Qrels, names: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    ranked = {
        query: {names[row]: value for row, value in zip(rows, scores, strict=True)}
        for query, rows, scores in zip(run.query_ids, run.rows.tolist(), run.scores.tolist(), strict=True)
    }
    pairs = ((query, *qrels.of(place)) for place, query in enumerate(qrels.query_ids))
    judged = {q: {names[row]: int(grade) for row, grade in zip(rows, g, strict=True)} for q, rows, g in pairs}
    return ranked, judged


def best(work: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    seconds: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        found = work()
        seconds.append(time.perf_counter() - start)
    return min(seconds), found


def main(queries: int = 6980, depth: int = 1000) -> None:
    run, qrels = synthetic(queries, depth)
    names = [f"{row:07}" for row in range(DOCS)]
    id_rank = np.arange(DOCS, dtype=np.int32)
    ours, found = best(lambda: score(run, qrels, id_rank, list(MEASURES)))
    building, (ranked, judged) = best(lambda: as_dictionaries(run, qrels, names), 1)
    evaluate = pytrec_eval.RelevanceEvaluator(judged, set(MEASURES.values())).evaluate
    theirs, expected = best(lambda: evaluate(ranked), 1)
    worst = max(
        abs(found[name][place] - expected[query][key])
        for name, key in MEASURES.items()
        for place, query in enumerate(run.query_ids)
    )
    print(f"{queries} queries × {depth} documents, {len(MEASURES)} measures")
    print(f"ours {ours:.3f} s; pytrec_eval {theirs:.3f} s + {building:.3f} s for its dictionaries")
    print(f"ratio {theirs / ours:.1f} without dictionaries, {(theirs + building) / ours:.1f} with")
    print(f"largest difference of a value: {worst:.1e}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
