"""Five measures of a ranking of MS MARCO's size, beside four peers on the same rankings and judgements.

Ours includes every check of the run; a peer's includes the dictionaries, or arrays, that it is given.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ir_measures
import numpy as np
import pytrec_eval
import ranx
from mteb._evaluators.retrieval_metrics import calculate_retrieval_scores

from benchmarks.measure import Row, in_turn, main
from harness.records import Qrels, Run
from harness.scoring.measures import score

QUERIES, DEPTH, DOCS, JUDGED = 6980, 1000, 100_000, 20
MEASURES = ("nDCG@10", "RR", "R@100", "R@1000", "AP")

PerQuery = dict[str, np.ndarray]
"""A value a query, by measure."""


@dataclass(frozen=True)
class Rankings:
    """A made-up run with ties, of which some documents are judged."""

    run: Run
    qrels: Qrels

    @classmethod
    def made_up(cls, queries: int) -> "Rankings":
        """Always the same."""
        chance = np.random.default_rng(0)
        ids = tuple(f"q{query}" for query in range(queries))
        rows = np.array([chance.choice(DOCS, DEPTH, replace=False) for _ in ids], np.int32)
        scores = -np.sort(-chance.normal(size=rows.shape).astype(np.float32).round(3), axis=1)
        judged = np.concatenate([chance.choice(ranking, JUDGED, replace=False) for ranking in rows])
        grades = chance.integers(0, 4, len(judged)).astype(np.int32)
        offsets = np.arange(queries + 1, dtype=np.int64) * JUDGED
        run = Run(query_ids=ids, rows=rows, scores=scores)
        return cls(run, Qrels(query_ids=ids, offsets=offsets, rows=judged, grades=grades))

    @cached_property
    def names(self) -> list[str]:
        """Document ids, in the order of the rows, which is that of the ids."""
        return [f"{row:07}" for row in range(DOCS)]

    def ranked(self) -> dict[str, dict[str, float]]:
        """The run as dictionaries."""
        names, run = self.names, self.run
        return {
            query: {names[row]: value for row, value in zip(rows, scores, strict=True)}
            for query, rows, scores in zip(run.query_ids, run.rows.tolist(), run.scores.tolist(), strict=True)
        }

    def judged(self) -> dict[str, dict[str, int]]:
        """The judgements as dictionaries."""
        names, pairs = self.names, ((query, *self.qrels.of(place)) for place, query in enumerate(self.qrels.query_ids))
        return {
            query: {names[row]: grade for row, grade in zip(rows.tolist(), grades.tolist(), strict=True)}
            for query, rows, grades in pairs
        }


def ours(given: Rankings) -> PerQuery:
    """By the harness."""
    return score(given.run, given.qrels, np.arange(DOCS, dtype=np.int32), MEASURES)


def _pytrec_eval(given: Rankings) -> PerQuery:
    names = ("ndcg_cut_10", "recip_rank", "recall_100", "recall_1000", "map")
    found = pytrec_eval.RelevanceEvaluator(given.judged(), set(names)).evaluate(given.ranked())
    return _by_measure(given, found, dict(_named(names)))


def _ir_measures(given: Rankings) -> PerQuery:
    measures = [ir_measures.parse_measure(name) for name in MEASURES]
    found: dict[str, dict[str, float]] = {query: {} for query in given.run.query_ids}
    for one in ir_measures.iter_calc(measures, given.judged(), given.ranked()):
        found[one.query_id][str(one.measure)] = one.value
    return _by_measure(given, found, {name: name for name in MEASURES})


def _ranx(given: Rankings) -> PerQuery:
    names = ("ndcg@10", "mrr", "recall@100", "recall@1000", "map")
    run = ranx.Run(given.ranked())
    ranx.evaluate(ranx.Qrels(given.judged()), run, list(names))
    values = {name: [run.scores[its][query] for query in given.run.query_ids] for name, its in _named(names)}
    return {name: np.array(its) for name, its in values.items()}


def _mteb(given: Rankings) -> PerQuery:
    """It keeps no reciprocal ranks by query."""
    found = calculate_retrieval_scores(given.ranked(), given.judged(), [10, 100, DEPTH]).all_scores
    names = {"nDCG@10": "ndcg_cut_10", "R@100": "recall_100", "R@1000": "recall_1000", "AP": f"map_cut_{DEPTH}"}
    return _by_measure(given, found, names)


def _named(names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return zip(MEASURES, names, strict=True)


def _by_measure(given: Rankings, found: Any, names: dict[str, str]) -> PerQuery:
    return {name: np.array([found[query][its] for query in given.run.query_ids]) for name, its in names.items()}


PEERS: dict[str, tuple[Callable[[Rankings], PerQuery], float | None]] = {
    "pytrec_eval": (_pytrec_eval, 10),
    "ir_measures": (_ir_measures, None),
    "ranx": (_ranx, None),
    "mteb": (_mteb, None),
}
"""What each does, and the goal."""
TIES = {"ranx": " It ranks tied documents otherwise than trec_eval; without ties all values are equal."}


def rows(runs: int) -> Iterator[Row]:
    given, few = Rankings.made_up(QUERIES), Rankings.made_up(20)
    for name, (evaluate, goal) in PEERS.items():
        ours(few), evaluate(few)  # imports and compiles what there is to compile
        told: dict[str, PerQuery] = {}
        pairs = in_turn(
            lambda told=told: told.update(ours=ours(given)),
            lambda told=told, evaluate=evaluate: told.update(peer=evaluate(given)),
            runs,
            warm=False,
        )
        apart = max(float(np.max(np.abs(told["ours"][measure] - its))) for measure, its in told["peer"].items())
        yield Row(
            work=f"score {QUERIES:,} queries × {DEPTH:,} documents by {', '.join(MEASURES)}",
            peer_name=name,
            runs=pairs,
            goal=goal,
            mode="fp64",
            found={"largest difference of a value": apart, "measures compared": len(told["peer"])},
            note=f"From arrays to values; the peer's dictionaries are built from the same arrays.{TIES.get(name, '')}",
        )


if __name__ == "__main__":
    main(rows)
