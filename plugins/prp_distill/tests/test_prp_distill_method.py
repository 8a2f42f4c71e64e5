"""The distiller: which questions are put, what labels they give, and what a student makes of them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_prp_distill import CARD, Config, TeacherConfig
from harness_prp_distill.asking import Preferences, affordable, drawn, preferences
from harness_prp_distill.method import PrpDistillation
from harness_prp_distill.teacher import PairwisePrompting
from scipy.stats import kendalltau

from harness.config import parse
from harness.contracts import Lesson, Retriever
from harness.data.corpus import build_corpus
from harness.errors import ConfigError, SignalError
from harness.nn.mining import Candidates
from harness.plugins import registry
from harness.records import Budget, Document, Query
from harness.testing import DistillerContract
from harness.testing.teachers import Counter
from harness.testing.topics import TOPICS, TopicTeacher, context, learnt, lesson
from harness.testing.views import gradient, view

SMALL: dict[str, Any] = {
    **{"steps": 40, "documents": 6, "last_rank": 30, "batch": 8, "learning_rate": 1e-3, "max_length": 16},
}
RANKED: dict[str, Any] = {**SMALL, "batch": 16, "learning_rate": 2e-3}
PLAIN: dict[str, Any] = {"scale": 1.0}
EVERY: dict[str, Any] = {"rate": 1.0}


class TestContract(DistillerContract):
    plugin = "prp-distill"
    options = {"steps": "3", "documents": "4", "last_rank": "10", "batch": "4", "rate": "1"}  # noqa: RUF012

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


class TestContractOfARerank(TestContract):
    options = {**TestContract.options, "form": "reranker", "depth": "15", "max_length": "64"}  # noqa: RUF012


class Says(TopicTeacher):
    """Prefers the first of two documents with the probability that `chance` gives for their numbers."""

    def __init__(self, chance: Callable[[int, int], float]) -> None:
        super().__init__()
        self.asked: list[tuple[int, int]] = []
        self._chance = chance

    def prefer(self, triples: Sequence[tuple[Query, Document, Document]]) -> np.ndarray:
        pairs = [(int(first.id), int(second.id)) for _, first, second in triples]
        self.asked += pairs
        return np.array([self._chance(*pair) for pair in pairs], np.float32)


def numbered(teacher: Any, folder: Path, documents: int = 120) -> Lesson:
    """A lesson over documents that are numbers."""
    corpus = build_corpus((Document(id=f"{row:03}", text=f"text {row}") for row in range(documents)), folder / "c")
    return Lesson(student="", teacher=teacher, corpus=corpus, examples=(), budget=Budget())


def lists(rows: Sequence[Sequence[int]], ranks: Sequence[Sequence[int]]) -> Candidates:
    queries = tuple(Query(id=f"q{number}", text=f"query {number}") for number in range(len(rows)))
    return Candidates(queries=queries, rows=np.array(rows, np.int32), ranks=np.array(ranks, np.int32))


def said(chance: Callable[[int, int], float], folder: Path, **options: Any) -> dict[tuple[int, int], float]:
    """The label of each pair of the documents 9, 4 and 7, which the first stage ranks 7, 9, 4."""
    one = lists([[9, 4, 7]], [[3, 8, 1]])
    given = preferences(numbered(Says(chance), folder), one, Config(**(EVERY | options)))
    pairs = one.rows[0][given.columns[0]].tolist()
    return {(first, second): round(float(y), 6) for (first, second), y in zip(pairs, given.labels[0], strict=True)}


TABLE = {(7, 9): 0.9, (9, 7): 0.4, (7, 4): 0.2, (4, 7): 0.7, (9, 4): 0.6, (4, 9): 0.6}


def test_labels_by_hand(tmp_path: Path) -> None:
    # 7 before 9: (0.9 + 1 - 0.4) / 2; the orders of 9 and 4 disagree.
    assert said(lambda *pair: TABLE[pair], tmp_path) == {(7, 9): 0.75, (7, 4): 0.25, (9, 4): 0.5}


def test_hard_labels_by_hand(tmp_path: Path) -> None:
    assert said(lambda *pair: TABLE[pair], tmp_path, soft=False) == {(7, 9): 1, (7, 4): 0, (9, 4): 0.5}


@pytest.mark.parametrize(("soft", "expected"), [(True, (0.9, 0.2, 0.6)), (False, (1, 0, 1))])
def test_one_order_alone_by_hand(soft: bool, expected: tuple[float, ...], tmp_path: Path) -> None:
    labels = said(lambda *pair: TABLE[pair], tmp_path, both_orders=False, soft=soft)
    assert labels == dict(zip(((7, 9), (7, 4), (9, 4)), expected, strict=True))


@pytest.mark.parametrize("soft", [True, False])
def test_whoever_always_takes_the_first_teaches_nothing_unless_heard_once(soft: bool, tmp_path: Path) -> None:
    assert set(said(lambda a, b: 1.0, tmp_path / "both", soft=soft).values()) == {0.5}
    # Heard once, it would teach the first stage's order.
    assert set(said(lambda a, b: 1.0, tmp_path / "one", soft=soft, both_orders=False).values()) == {1.0}


def test_a_bias_to_the_first_is_taken_out(tmp_path: Path) -> None:
    def biased(a: int, b: int) -> float:
        return 1 / (1 + np.exp(b - a - 3.0))  # log-odds a - b, and 3 for standing first

    both = said(biased, tmp_path / "both")
    one = said(biased, tmp_path / "one", both_orders=False)
    true = {pair: 1 / (1 + np.exp(pair[1] - pair[0])) for pair in both}
    assert sum(abs(both[pair] - true[pair]) for pair in both) < sum(abs(one[pair] - true[pair]) for pair in one)
    assert all((y > 0.5) == (true[pair] > 0.5) for pair, y in both.items())
    assert not all((y > 0.5) == (true[pair] > 0.5) for pair, y in one.items())


def hundred(queries: int) -> Candidates:
    ranks = [(np.arange(100) * 7 % 100 + 1).tolist()] * queries
    return lists([list(range(number, 100 + number)) for number in range(queries)], ranks)


def test_two_in_a_hundred_of_a_hundred_take_198_questions_a_query(tmp_path: Path) -> None:
    teacher = Says(lambda a, b: 0.5)
    given = preferences(numbered(teacher, tmp_path), hundred(3), Config(rate=0.02))
    assert given.columns.shape == (3, 99, 2)
    assert len(teacher.asked) == 3 * 198
    assert sorted(teacher.asked) == sorted((b, a) for a, b in teacher.asked)
    assert len(set(teacher.asked[:198])) == 198
    calls = Counter()
    watched = calls.watch(Says(lambda a, b: 0.5))
    preferences(numbered(watched, tmp_path / "all"), hundred(1), Config(rate=1.0))
    assert calls.calls == 9900


def test_pairs_are_drawn_by_rank_not_by_the_lists_own_order() -> None:
    many = hundred(20)
    assert many.ranks is not None
    pairs = drawn(many, Config(rate=0.02, sampler="rank-weighted"))
    ranks = many.ranks[0][pairs]
    assert ranks.mean() < many.ranks[0][drawn(many, Config(rate=0.02, sampler="uniform"))].mean() - 10
    assert (ranks[..., 0] < ranks[..., 1]).all()
    assert abs(pairs.mean() - 49.5) < 10  # column 0, the positive, is no likelier than others


def test_pairs_come_from_the_lists_seed_and_do_not_depend_on_other_lists() -> None:
    config = Config(rate=0.02)
    pairs = drawn(hundred(4), config)
    assert np.array_equal(pairs[:2], drawn(hundred(2), config))
    assert not np.array_equal(pairs[0], pairs[1])
    assert not np.array_equal(pairs, drawn(hundred(4), Config(rate=0.02, draw=1)))


def test_so_many_lists_as_there_are_calls_for() -> None:
    config = Config(rate=0.02)
    assert [len(affordable(hundred(5), config, calls)) for calls in (None, 198, 600, 10**6)] == [5, 1, 3, 5]
    assert len(affordable(hundred(5), Config(rate=0.02, both_orders=False), 198)) == 2
    kept = affordable(hundred(5), config, 600)  # of all tasks, which stand one after the other
    assert [query.id for query in kept.queries] == [hundred(5).queries[place].id for place in (0, 1, 3)]
    with pytest.raises(SignalError, match="at least 198"):
        affordable(hundred(5), config, 197)


@pytest.mark.parametrize("chance", [1.5, -0.1, float("nan")])
def test_what_is_no_probability_is_refused(chance: float, tmp_path: Path) -> None:
    with pytest.raises(SignalError):
        said(lambda a, b: chance, tmp_path)


def test_prompting_is_asked_both_orders_once(tmp_path: Path) -> None:
    class Posing:
        identity = "posing"
        asked = 0

        def fits(self, *_: object) -> bool:
            return True

        def choose(self, prompts: Sequence[object], options: Sequence[str]) -> np.ndarray:
            self.asked += len(prompts)
            return np.full((len(prompts), 2), 0.5, np.float32)

    model: Any = Posing()
    teacher = PairwisePrompting(TeacherConfig(), model)
    preferences(numbered(teacher, tmp_path), hundred(1), Config(rate=0.02))
    assert model.asked == 198


def test_a_model_that_prefers_what_stands_first_gives_hard_labels_of_a_half(tmp_path: Path) -> None:
    class First:
        identity = "first"

        def fits(self, *_: object) -> bool:
            return True

        def choose(self, prompts: Sequence[object], options: Sequence[str]) -> np.ndarray:
            return np.tile(np.array([[0.9, 0.1]], np.float32), (len(prompts), 1))

    model: Any = First()
    teacher = PairwisePrompting(TeacherConfig(both_orders=False), model)
    given = preferences(numbered(teacher, tmp_path), hundred(1), Config(rate=0.02, soft=False))
    assert set(given.labels.ravel().tolist()) == {0.5}


def loss(scores: Sequence[Sequence[float]], asked: Preferences, of: Any = None, **options: Any) -> torch.Tensor:
    method = PrpDistillation(Config(**(PLAIN | options)), context(Path("unused")))
    return method.loss(view(scores) if of is None else of, asked)


def pairs_of(labels: Sequence[float], *pairs: tuple[int, int]) -> Preferences:
    return Preferences(columns=np.array([pairs], np.int64), labels=np.array([labels], np.float32))


def test_gradient_of_a_margin_is_the_students_chance_less_the_label() -> None:
    batch = view([[0.3, 1.0, -0.5]])
    value = loss([], pairs_of([0.9, 0.25], (0, 1), (2, 1)), batch)
    first, second = (1 / (1 + np.exp(-margin)) for margin in (-0.7, -1.5))
    entropies = [-y * np.log(p) - (1 - y) * np.log(1 - p) for y, p in ((0.9, first), (0.25, second))]
    assert value.item() == pytest.approx(sum(entropies) / 2)
    value.backward()
    one, two = (first - 0.9) / 2, (second - 0.25) / 2
    assert gradient(batch) == [pytest.approx([one, -one - two, two])]


def test_labels_of_a_half_leave_equal_scores_alone() -> None:
    batch = view([[0.4, 0.4, 0.4]])
    loss([], pairs_of([0.5] * 3, (0, 1), (0, 2), (1, 2)), batch).backward()
    assert gradient(batch) == [[0, 0, 0]]


def test_turned_round_a_pair_says_the_same() -> None:
    there = loss([[0.3, 1.0]], pairs_of([0.9], (0, 1))).item()
    assert loss([[0.3, 1.0]], pairs_of([0.1], (1, 0))).item() == pytest.approx(there)
    assert loss([[5.3, 6.0]], pairs_of([0.9], (0, 1))).item() == pytest.approx(there, rel=1e-5)
    assert loss([[0.03, 0.1]], pairs_of([0.9], (0, 1)), scale=10.0).item() == pytest.approx(there)


def test_each_list_of_a_batch_meets_its_own_pairs() -> None:
    asked = Preferences(
        columns=np.array([[[0, 1]], [[1, 0]], [[0, 1]]], np.int64), labels=np.array([[1], [0.5], [0]], np.float32)
    )
    batch = view([[0.0, 2.0], [0.0, 0.0]], positions=(2, 1))
    assert loss([], asked, batch).item() == pytest.approx((np.log1p(np.exp(-2)) + np.log(2)) / 2)


def test_all_pairs_of_a_bradley_terry_teacher_give_its_differences_back() -> None:
    strengths = np.array([1.5, -0.5, 0.25, 0.0])
    pairs = [(i, j) for i in range(4) for j in range(i)]
    labels = [float(1 / (1 + np.exp(strengths[j] - strengths[i]))) for i, j in pairs]
    scores = torch.zeros(1, 4, 1, requires_grad=True)
    optimiser = torch.optim.SGD([scores], lr=2.0)
    for _ in range(400):
        optimiser.zero_grad()
        loss([], pairs_of(labels, *pairs), view([[0.0] * 4], document_vectors=scores)).backward()
        optimiser.step()
    found = scores.detach().numpy().ravel()
    assert np.allclose(found - found[0], strengths - strengths[0], atol=1e-3)


def test_scale_is_that_of_the_student() -> None:
    def scale(**options: Any) -> float:
        return PrpDistillation(Config(**options), context(Path("unused"))).scale

    assert [scale(), scale(form="reranker"), scale(scale=0.5)] == [20, 1, 0.5]


@pytest.mark.parametrize("options", [{"sampler": "best"}, {"rate": "1.5"}, {"form": "sparse"}, {"scale": "-1"}])
def test_options_that_make_no_sense(options: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        parse(registry(), CARD, options)


def test_learns_the_preferences_and_nothing_from_a_permuted_teacher(bare_encoder: str, tmp_path: Path) -> None:
    def after(teacher: TopicTeacher) -> float:
        folder = tmp_path / teacher.identity
        method = PrpDistillation(Config(**SMALL), context(folder))
        return learnt(method, lesson(bare_encoder, teacher, folder))

    honest, permuted = after(TopicTeacher()), after(TopicTeacher(permuted=True))
    assert honest > 0.7
    assert permuted < honest - 0.2


class Ring(TopicTeacher):
    """Prefers topics by how little they stand behind the query's: an order that no word tells."""

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> np.ndarray:
        places = [[_place(query.text), _place(document.content)] for query, document in pairs]
        return -np.array([(document - query) % len(TOPICS) for query, document in places], np.float32)


def _place(text: str) -> int:
    return next(TOPICS.index(word) for word in text.split() if word in TOPICS)


def tau(student: Retriever, given: Lesson) -> float:
    """Mean of Kendall's tau between the scores of all documents and the teacher's, over new queries."""
    student.index(given.corpus)
    asked = [Query(id=topic, text=f"tell me something on {topic}") for topic in TOPICS]
    run = student.search(asked, len(given.corpus))
    taus: list[float] = []
    for query, rows, scores in zip(asked, run.rows, run.scores, strict=True):
        found: Any = kendalltau(scores, Ring().score([(query, given.corpus[row]) for row in rows.tolist()]))
        taus.append(found.statistic)
    return float(np.mean(taus))


def ranked(student: str, folder: Path, **options: Any) -> float:
    method = PrpDistillation(Config(**(RANKED | options)), context(folder))
    given = lesson(student, Ring(), folder)
    return tau(method.distil(given), given)


def test_a_fifth_of_the_pairs_is_nearly_as_good_as_all_and_better_than_none(bare_encoder: str, tmp_path: Path) -> None:
    none = ranked(bare_encoder, tmp_path / "none", steps=1, learning_rate=0.0)
    some = ranked(bare_encoder, tmp_path / "some", documents=12, rate=0.2)
    every = ranked(bare_encoder, tmp_path / "every", documents=12, rate=1.0)
    assert none + 0.05 < min(some, every)
    assert some > every - 0.15


def test_a_reranker_learns_too(bare_encoder: str, tmp_path: Path) -> None:
    assert ranked(bare_encoder, tmp_path, form="reranker", depth=48, rate=1.0, learning_rate=1e-3) > 0.2
    assert (tmp_path / "work" / "training" / "student" / "model.safetensors").is_file()
