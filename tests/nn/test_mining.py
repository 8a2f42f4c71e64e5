"""Candidate lists by hand, and what must never be in one."""

import numpy as np
import pytest

from harness.data.corpus import build_corpus
from harness.errors import DataError
from harness.nn.mining import Window, false_negatives, mine
from harness.records import Document, Example, Query, Run


class Descending:
    """Ranks documents by row, first to last, whatever the query."""

    def search(self, queries, k):
        rows = np.tile(np.arange(min(k, 20), dtype=np.int32), (len(queries), 1))
        return Run(query_ids=tuple(q.id for q in queries), rows=rows, scores=-rows.astype(np.float32))


@pytest.fixture
def corpus(tmp_path):
    return build_corpus((Document(id=f"d{i:02}", text=str(i)) for i in range(40)), tmp_path / "corpus")


def example(*positives, number=0):
    return Example(query=Query(id=f"q{number}", text=f"query {number}"), positives=positives)


def test_negatives_come_from_the_window_counted_without_positives(corpus):
    # Ranking 0 1 2 3 … without the positives 1 and 3: 0 2 4 5 6 …; ranks 2 to 4 are 2, 4, 5.
    lists = mine(Descending(), corpus, [example(1, 3)], Window(first=2, last=4, count=3), seed=0)
    assert lists.rows[0, 0] in (1, 3)
    assert sorted(lists.rows[0, 1:].tolist()) == [2, 4, 5]


def test_short_rankings_are_filled_up_without_relevant_or_double_documents(corpus):
    examples = [example(*range(0, 40, 2), number=n) for n in range(20)]
    lists = mine(Descending(), corpus, examples, Window(first=1, last=30, count=18), seed=0)
    for row in lists.rows:
        assert row[0] % 2 == 0
        assert all(document % 2 for document in row[1:])
        assert len(set(row.tolist())) == 19
        assert set(range(1, 20, 2)) <= set(row.tolist())  # all that was retrieved comes before what is drawn


def test_same_seed_same_lists_and_queries_do_not_depend_on_each_other(corpus):
    examples = [example(1, number=n) for n in range(8)]
    window = Window(first=1, last=15, count=4)
    first = mine(Descending(), corpus, examples, window, seed=1)
    assert first.digest == mine(Descending(), corpus, examples, window, seed=1).digest
    assert first.digest != mine(Descending(), corpus, examples, window, seed=2).digest
    assert np.array_equal(first.rows[:3], mine(Descending(), corpus, examples[:3], window, seed=1).rows)
    assert first.select([2, 0]).digest != first.digest


def test_ranks_are_the_retrievers_and_give_its_order_back(corpus):
    # Ranking 0, 1 … 19. The positive 30 isn't found; of the negatives 0, 1 … 19 are, the rest are drawn.
    lists = mine(Descending(), corpus, [example(30), example(7, number=1)], Window(last=30, count=22), seed=0)
    for rows, ranks, columns in zip(lists.rows, lists.ranks, lists.columns_by_rank(), strict=True):
        assert ranks.tolist() == [row + 1 if row < 20 else 0 for row in rows.tolist()]
        ordered = rows[columns].tolist()
        assert ordered == sorted(ordered)
        assert ordered[:20] == list(range(20))
    assert lists.rows[:, 0].tolist() == [30, 7]
    assert lists.select([1]).ranks.tolist() == lists.ranks[1:].tolist()


def test_impossible_requests(corpus):
    with pytest.raises(ValueError, match="room for 9"):
        Window(first=5, last=10, count=9)
    with pytest.raises(DataError, match="40 documents"):
        mine(Descending(), corpus, [example(*range(35))], Window(last=10, count=6), seed=0)
    with pytest.raises(DataError, match="no training query"):
        mine(Descending(), corpus, [example()], Window(), seed=0)


def test_false_negatives_by_hand():
    scores = np.array([[0.8, 0.77, 0.75], [0.5, 0.9, 0.1]], np.float32)
    assert false_negatives(scores, share=0.95).tolist() == [[False, True, False], [False, True, False]]
