"""Our measures against trec_eval itself, on random rankings with every oddity that real runs have."""

import ir_measures
import numpy as np
import pytest
import pytrec_eval

from harness.records import Qrels, Run
from harness.scoring import strict
from harness.scoring.measures import score

TREC = {
    "nDCG": "ndcg",
    "nDCG@1": "ndcg_cut_1",
    "nDCG@10": "ndcg_cut_10",
    "nDCG@1000": "ndcg_cut_1000",
    "RR": "recip_rank",
    "AP": "map",
    "AP@5": "map_cut_5",
    "AP@100": "map_cut_100",
    "P@1": "P_1",
    "P@10": "P_10",
    "P@100": "P_100",
    "R@5": "recall_5",
    "R@100": "recall_100",
    "Success@1": "success_1",
    "Success@5": "success_5",
}
QUERIES, DOCS = 100, 60


def random_case(seed: int) -> tuple[Run, Qrels, np.ndarray]:
    """Rankings of 0 to 50 documents with few distinct scores (ties), judged and unjudged ones, grades from -2 to 4."""
    chance = np.random.default_rng(seed)
    ids = tuple(f"q{query}" for query in range(QUERIES))
    rows = np.full((QUERIES, 50), -1, dtype=np.int32)
    scores = np.full((QUERIES, 50), -np.inf, dtype=np.float32)
    judged: list[np.ndarray] = []
    for query in range(QUERIES):
        length = 0 if query % 10 == 0 else int(chance.integers(1, 51))
        rows[query, :length] = chance.permutation(DOCS)[:length]
        levels = chance.normal(size=int(chance.integers(1, 12))).astype(np.float32)
        scores[query, :length] = -np.sort(-chance.choice(levels, length))
        judged.append(chance.permutation(DOCS)[: int(chance.integers(1, 40))].astype(np.int32))
    offsets = np.cumsum([0, *map(len, judged)], dtype=np.int64)
    grades = chance.integers(-2, 5, offsets[-1]).astype(np.int32)
    qrels = Qrels(query_ids=ids, offsets=offsets, rows=np.concatenate(judged), grades=grades)
    return Run(query_ids=ids, rows=rows, scores=scores), qrels, chance.permutation(DOCS).astype(np.int32)


def as_dictionaries(run: Run, qrels: Qrels, id_rank: np.ndarray) -> tuple[dict, dict]:
    """The same as trec_eval takes it; document ids sort as `id_rank` says.

    Negative grades become 0 there: in trec_eval neither gains anything, but pytrec_eval counts them at a negative
    position of an array, which corrupts its memory (a crash or an endless loop here).
    """
    name = [f"d{rank:03}" for rank in id_rank]
    ranked = {
        query: {name[row]: float(score) for row, score in zip(rows, scores, strict=True) if row >= 0}
        for query, rows, scores in zip(run.query_ids, run.rows, run.scores, strict=True)
    }
    pairs = ((query, *qrels.of(place)) for place, query in enumerate(qrels.query_ids))
    judged = {
        query: {name[r]: max(int(g), 0) for r, g in zip(rows, grades, strict=True)} for query, rows, grades in pairs
    }
    return {query: docs for query, docs in ranked.items() if docs}, judged


@pytest.mark.parametrize("seed", range(30))
def test_equal_to_trec_eval_on_random_rankings(seed: int) -> None:
    run, qrels, id_rank = random_case(seed)
    ranked, judged = as_dictionaries(run, qrels, id_rank)
    expected = pytrec_eval.RelevanceEvaluator(judged, set(TREC.values())).evaluate(ranked)
    found = score(run, qrels, id_rank, list(TREC))
    for ours, theirs in TREC.items():
        values = [expected[query][theirs] if query in expected else 0.0 for query in qrels.query_ids]
        np.testing.assert_allclose(found[ours], values, rtol=0, atol=1e-6, err_msg=ours)


@pytest.mark.parametrize("seed", range(5))
def test_cut_reciprocal_rank_and_judged_equal_ir_measures(seed: int) -> None:
    run, qrels, id_rank = random_case(seed)
    ranked, judged = as_dictionaries(run, qrels, id_rank)
    names = ["RR@3", "RR@10", "Judged@10", "Judged"]
    tie_free = {q: {d: -place for place, d in enumerate(order(docs))} for q, docs in ranked.items()}
    found = score(run, qrels, id_rank, names)
    for metric in ir_measures.iter_calc(list(map(ir_measures.parse_measure, names)), judged, tie_free):
        place = qrels.query_ids.index(metric.query_id)
        assert found[str(metric.measure)][place] == pytest.approx(metric.value, abs=1e-6), metric


def order(docs: dict[str, float]) -> list[str]:
    """trec_eval's order: score, then id, both descending."""
    return sorted(docs, key=lambda doc: (docs[doc], doc), reverse=True)


def test_rankings_looked_at_one_by_one_score_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    run, qrels, id_rank = random_case(0)
    expected = score(run, qrels, id_rank, list(TREC))
    monkeypatch.setattr(strict, "BLOCK", 1)
    found = score(run, qrels, id_rank, list(TREC))
    assert {name: values.tolist() for name, values in found.items()} == {n: v.tolist() for n, v in expected.items()}
