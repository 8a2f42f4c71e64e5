"""Self-retrieval as in ArguAna, and candidate lists."""

import math
from pathlib import Path

import numpy as np
import pytest

from harness.data.corpus import build_corpus
from harness.data.judgements import make_qrels
from harness.records import Document, Run
from harness.scoring.exclude import all_but, without_self
from harness.scoring.measures import score
from harness.scoring.strict import check_run

IDS = ("d0", "d1", "d2", "d3")


@pytest.fixture
def corpus(tmp_path: Path):
    return build_corpus((Document(id=name, text="x") for name in IDS), tmp_path / "corpus")


def make_run(queries: list[str], rows: list[list[int]]) -> Run:
    scores = [[float(-place) if row >= 0 else -math.inf for place, row in enumerate(line)] for line in rows]
    return Run(query_ids=tuple(queries), rows=np.array(rows, np.int32), scores=np.array(scores, np.float32))


def test_the_query_itself_is_removed_and_the_others_move_up(corpus) -> None:
    run = make_run(["d1", "d2", "d3", "other"], [[1, 0, 2], [0, 1, 2], [0, 1, -1], [3, 2, 1]])
    found = without_self(run, corpus)
    assert found.rows.tolist() == [[0, 2, -1], [0, 1, -1], [0, 1, -1], [3, 2, 1]]
    assert found.scores.tolist()[0] == [-1.0, -2.0, -math.inf]
    assert run.rows.tolist()[0] == [1, 0, 2]
    assert without_self(run, corpus, k=2).rows.tolist() == [[0, 2], [0, 1], [0, 1], [3, 2]]
    check_run(found, run.query_ids, len(corpus))


def test_self_retrieval_counts_unless_it_is_removed(corpus) -> None:
    """A document that answers itself at rank 1 pushes the answer to rank 2; nothing removes it unasked."""
    run, qrels = make_run(["d1"], [[1, 0, 2]]), make_qrels({"d1": {"d0": 1}}, corpus)
    assert score(run, qrels, corpus, ["RR"])["RR"].tolist() == [0.5]
    assert score(without_self(run, corpus), qrels, corpus, ["RR"])["RR"].tolist() == [1.0]


def test_only_candidates_are_ranked() -> None:
    run = make_run(["a", "b"], [[3, 2, 1, 0], [0, 1, 2, 3]])
    candidates = make_run(["a", "b"], [[0, 3], [1, -1]])
    found = all_but(run, candidates)
    assert found.rows.tolist() == [[3, 0], [1, -1]]
    assert found.scores.tolist() == [[0.0, -3.0], [-1.0, -math.inf]]
