"""Values worked by hand, and the traps that other tools fall into."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from harness.errors import ConfigError, ScoreError
from harness.records import Qrels, Run
from harness.scoring.measures import score

ID_RANK = np.arange(10, dtype=np.int32)
COMMON = ["nDCG@10", "RR@10", "AP", "R@100", "P@10", "Success@1"]


def make_run(*rankings: list[int], ids: tuple[str, ...] | None = None) -> Run:
    """Rankings of rows, scored by descending whole numbers."""
    k = max(map(len, rankings))
    rows = [ranking + [-1] * (k - len(ranking)) for ranking in rankings]
    scores = [[float(k - i) for i in range(len(r))] + [-math.inf] * (k - len(r)) for r in rankings]
    names = ids or tuple(f"q{i}" for i in range(len(rankings)))
    return Run(query_ids=names, rows=np.array(rows, np.int32), scores=np.array(scores, np.float32))


def make_qrels(*judged: dict[int, int]) -> Qrels:
    return Qrels(
        query_ids=tuple(f"q{i}" for i in range(len(judged))),
        offsets=np.cumsum([0, *map(len, judged)], dtype=np.int64),
        rows=np.array([row for query in judged for row in query], np.int32),
        grades=np.array([grade for query in judged for grade in query.values()], np.int32),
    )


def values(run: Run, qrels: Qrels, *names: str) -> list[list[float]]:
    return [array.tolist() for array in score(run, qrels, ID_RANK, names).values()]


def test_values_by_hand() -> None:
    # ranking 7 4 2 9; judged: 4 → 2, 9 → 1, 5 → 3 (not found), 7 → 0; so gains 0 2 0 1
    run, qrels = make_run([7, 4, 2, 9]), make_qrels({4: 2, 9: 1, 5: 3, 7: 0})
    dcg = 2 / math.log2(3) + 1 / math.log2(5)
    ideal = 3 / math.log2(2) + 2 / math.log2(3) + 1 / math.log2(4)
    expected = {
        "nDCG": dcg / ideal,
        "nDCG@10": dcg / ideal,
        "nDCG@2": (2 / math.log2(3)) / (3 + 2 / math.log2(3)),
        "RR": 1 / 2,
        "RR@1": 0.0,
        "AP": (1 / 2 + 2 / 4) / 3,
        "AP@2": (1 / 2) / 3,  # over all relevant documents, as trec_eval, not over the cut-off
        "P@2": 1 / 2,
        "P@10": 2 / 10,  # over the cut-off, though the ranking is shorter
        "R@2": 1 / 3,
        "R@100": 2 / 3,
        "Success@1": 0.0,
        "Success@2": 1.0,
        "Judged@2": 2 / 2,
        "Judged@10": 3 / 4,  # over what was retrieved
        "Judged": 3 / 4,
    }
    found = score(run, qrels, ID_RANK, list(expected))
    assert list(found) == list(expected)
    assert {name: array[0] for name, array in found.items()} == pytest.approx(expected, abs=1e-12)


def test_negative_grades_gain_nothing_and_count_as_judged() -> None:
    run, qrels = make_run([9, 1, 2]), make_qrels({1: -2, 2: 1})
    assert values(run, qrels, "nDCG", "AP", "P@3", "Judged") == [[0.5], [pytest.approx(1 / 3)], [pytest.approx(1 / 3)],
                                                              [pytest.approx(2 / 3)]]  # fmt: skip


def test_query_without_results_scores_0_and_stays_in_the_mean() -> None:
    qrels = make_qrels({1: 1}, {2: 1}, {3: 1})
    found = score(make_run([1], [], []), qrels, ID_RANK, [*COMMON, "Judged@10", "Rprec"])
    for name, array in found.items():
        assert array.tolist()[1:] == [0.0, 0.0], name
    assert found["nDCG@10"].mean() == pytest.approx(1 / 3)


def test_half_a_run_scores_half() -> None:
    """Averaged over its own queries alone, half of this run would look as good as the whole."""
    qrels = make_qrels(*({row: 1} for row in range(8)))
    whole = score(make_run(*([9, row] for row in range(8))), qrels, ID_RANK, COMMON)
    half = score(make_run(*([9, row] for row in range(4)), [], [], [], []), qrels, ID_RANK, COMMON)
    for name in COMMON:
        assert half[name].mean() == whole[name].mean() / 2
    with pytest.raises(ScoreError, match="'q4' is missing"):
        score(make_run(*([9, row] for row in range(4))), qrels, ID_RANK, COMMON)


def test_extra_query_is_refused() -> None:
    with pytest.raises(ScoreError, match="'q1' is not in the split"):
        score(make_run([1], [2]), make_qrels({1: 1}), ID_RANK, COMMON)


def test_all_nan_run_is_refused() -> None:
    run = make_run([1, 2])
    nan = Run(query_ids=run.query_ids, rows=run.rows, scores=np.full_like(run.scores, np.nan))
    with pytest.raises(ScoreError, match=r"'q0', rank 1 .*NaN"):
        score(nan, make_qrels({1: 1}), ID_RANK, COMMON)


def test_all_equal_scores_are_ranked_by_id_not_as_they_come() -> None:
    """Only row 1 is relevant; by descending id it is ninth of ten, or second where ids fall as rows rise."""
    for ranking in ([1, 9, 8, 7, 6, 5, 4, 3, 2, 0], [0, 2, 3, 4, 5, 6, 7, 8, 9, 1]):
        run = make_run(ranking)
        tied = Run(query_ids=run.query_ids, rows=run.rows, scores=np.ones_like(run.scores))
        for id_rank, rank in ((ID_RANK, 9), (ID_RANK[::-1].copy(), 2)):
            found = score(tied, make_qrels({1: 1}), id_rank, ["RR", "AP(rel=1)"])
            assert found["RR"].tolist() == [1 / rank]
            assert found["AP(rel=1)"].tolist() == [pytest.approx(1 / rank)]


def test_one_query_alone() -> None:
    assert values(make_run([3]), make_qrels({3: 1}), *COMMON) == [[1.0], [1.0], [1.0], [1.0], [0.1], [1.0]]


def test_ranking_of_no_places_and_query_without_judgements() -> None:
    run = Run(query_ids=("q0", "q1"), rows=np.empty((2, 0), np.int32), scores=np.empty((2, 0), np.float32))
    assert values(run, make_qrels({1: 1}, {}), *COMMON) == [[0.0, 0.0]] * len(COMMON)


def test_padding_is_never_taken_for_a_document() -> None:
    """Row -1 must not be read as the last document."""
    assert values(make_run([1, 2], [1]), make_qrels({9: 1}, {9: 1}), "R@100", "Judged") == [[0.0, 0.0], [0.0, 0.0]]


def test_other_measures_come_from_ir_measures() -> None:
    run, qrels = make_run([7, 4, 9], []), make_qrels({4: 2, 9: 1}, {1: 1})
    # gain 2^grade - 1: (3 / log2(3) + 1 / log2(4)) / (3 / log2(2) + 1 / log2(3)); Perl prints five decimals
    exponential = (3 / math.log2(3) + 1 / 2) / (3 + 1 / math.log2(3))
    names = ["AP(rel=2)", "Rprec", "RR(rel=2)", "IPrec@0.5", "Accuracy", "nDCG(dcg='exp-log2')@10"]
    found = score(run, qrels, ID_RANK, names)
    expected = [1 / 2, 1 / 2, 1 / 2, 2 / 3, 0.0, exponential]
    assert [found[name][0] for name in names] == pytest.approx(expected, abs=1e-5)
    assert all(found[name][1] == 0 for name in names)


def test_negative_grades_are_0_to_other_measures() -> None:
    """pytrec_eval corrupts its memory for negative grades, and takes their documents for unjudged."""
    many = {row: -2 for row in range(9)} | {9: 1}
    assert values(make_run([0, 9]), make_qrels(many), "Rprec", "P(judged_only=True)@1") == [[0.0], [0.0]]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ndcg@10", r"did you mean nDCG@10"),
        ("NDGC@5", r"nDCG@5"),
        ("Sucess@1", r"Success@1"),
        ("novelty", r"did you mean novel@10|see"),
        ("P", r"cut-off is missing"),
        ("nDCG@0", r"at least 1"),
        ("Rprec@", r"can't be read"),
        ("AP(foo=1)", r"option is wrong"),
        ("RBP(rel=1)", r"cwl_eval"),
    ],
)
def test_unknown_measures_are_refused_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        score(make_run([1]), make_qrels({1: 1}), ID_RANK, [name], {"novel@10": lambda *_: [0]})


class Two:
    """Enough of a corpus."""

    id_rank = ID_RANK

    def __len__(self) -> int:
        return len(ID_RANK)


def added(measure: Callable) -> dict[str, np.ndarray]:
    return score(make_run([1, 2], []), make_qrels({1: 1}, {2: 1}), Two(), ["AP", "mine"], {"mine": measure})  # type: ignore[arg-type]


def test_measures_of_plugins() -> None:
    found = added(lambda run, qrels, corpus: (run.rows >= 0).sum(axis=1) / len(corpus))
    assert list(found) == ["AP", "mine"]
    assert found["mine"].tolist() == [0.2, 0.0]
    with pytest.raises(ScoreError, match="'mine' is nan for query 'q1'"):
        added(lambda *_: [0.5, math.nan])
    with pytest.raises(ScoreError, match="2 queries"):
        added(lambda *_: [0.5])
    with pytest.raises(ScoreError, match="needs the corpus"):
        score(make_run([1]), make_qrels({1: 1}), ID_RANK, ["mine"], {"mine": lambda *_: [1.0]})
    with pytest.raises(ConfigError, match="built in"):
        score(make_run([1]), make_qrels({1: 1}), ID_RANK, ["AP"], {"AP": lambda *_: [1.0]})
