"""Pairwise ranking prompting: both orders are heard, and pairs are drawn as they should be."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from harness_prp_distill import TeacherConfig
from harness_prp_distill.pairs import SAMPLERS, count, rank_diff, rank_weighted, uniform
from harness_prp_distill.prompt import pair_prompt
from harness_prp_distill.teacher import PairwisePrompting, build
from hypothesis import given
from hypothesis import strategies as st

from harness.contracts import Context
from harness.records import Document, Query
from harness.testing import TeacherContract
from harness.testing.models import tiny_causal_lm
from harness.text.model import Prompt


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_causal_lm(tmp_path_factory.mktemp("models") / "tiny", context=1024)


class TestTeacherContract(TeacherContract):
    plugin = "prp-distill-teacher"
    identity_options: ClassVar = {"words": "5", "precision": "bfloat16", "both_orders": "false"}

    @pytest.fixture
    def options(self, folder: str) -> dict[str, str]:
        return {"model": folder, "words": "30"}


class Posing:
    """Chooses A with the probability that `chance` gives for the passages A and B."""

    identity = "posing"

    def __init__(self, chance: Callable[[str, str], float]) -> None:
        self.asked: list[tuple[str, str]] = []
        self._chance = chance

    def fits(self, prompt: Prompt, new_tokens: int) -> bool:
        return True

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> np.ndarray:
        assert tuple(options) == ("A", "B")
        texts = [str(prompt[-1][1]) for prompt in prompts]
        pairs = [(_passage(text, "A"), _passage(text, "B")) for text in texts]
        self.asked += pairs
        chances = np.array([self._chance(*pair) for pair in pairs], np.float32).reshape(-1)
        return np.stack([chances, 1 - chances], axis=1)


def _passage(text: str, name: str) -> str:
    return text.partition(f"Passage {name}: ")[2].partition("\n")[0]


QUERY = Query(id="q", text="query")
ONE, TWO, THREE = (Document(id=text, text=text) for text in ("one", "two", "three"))


def prefer(chance: Callable[[str, str], float], *pairs: tuple[Document, Document]) -> list[float]:
    teacher = PairwisePrompting(TeacherConfig(), Posing(chance))  # type: ignore[arg-type]
    return teacher.prefer([(QUERY, first, second) for first, second in pairs]).tolist()


def test_by_hand() -> None:
    # A is chosen with 0.9 when it is "one", with 0.4 when it is "two": P(one beats two) = (0.9 + 1 - 0.4) / 2 = 0.75.
    table = {("one", "two"): 0.9, ("two", "one"): 0.4}
    given = prefer(lambda a, b: table[a, b], (ONE, TWO), (TWO, ONE))
    assert given == [pytest.approx(0.75, abs=1e-6), pytest.approx(0.25, abs=1e-6)]


def test_one_order_at_a_time_by_hand() -> None:
    table = {("one", "two"): 0.9, ("two", "one"): 0.4}
    alone = PairwisePrompting(TeacherConfig(both_orders=False), Posing(lambda a, b: table[a, b]))  # type: ignore[arg-type]
    assert alone.prefer([(QUERY, ONE, TWO), (QUERY, TWO, ONE)]).tolist() == pytest.approx([0.9, 0.4], abs=1e-6)
    both = PairwisePrompting(TeacherConfig(), Posing(lambda a, b: 0.9))  # type: ignore[arg-type]
    assert alone.identity != both.identity


def test_whoever_always_says_a_prefers_nothing() -> None:
    assert prefer(lambda a, b: 1.0, (ONE, TWO), (TWO, THREE), (THREE, ONE), (ONE, ONE)) == [0.5] * 4


def test_texts_that_agree_that_disagree_and_that_cant_be_read() -> None:
    said: Any = {
        **{("one", "two"): 1.0, ("two", "one"): 0.0},  # one, both times
        **{("one", "three"): 0.0, ("three", "one"): 0.0},  # B, both times
        **{("two", "three"): 1.0, ("three", "two"): np.nan},
    }
    pairs = (ONE, TWO), (TWO, ONE), (ONE, THREE), (TWO, THREE), (THREE, TWO)
    assert prefer(lambda a, b: said[a, b], *pairs) == [1, 0, 0.5, 0.5, 0.5]


@given(st.floats(0, 1, width=32), st.floats(0, 1, width=32))
def test_both_preferences_add_up_to_exactly_one(there: float, back: float) -> None:
    first, second = prefer(lambda a, b: there if a == "one" else back, (ONE, TWO), (TWO, ONE))
    assert np.float32(first) + np.float32(second) == 1
    assert first + second == 1


def test_each_pair_is_asked_twice_and_once() -> None:
    model = Posing(lambda a, b: 0.7)
    teacher = PairwisePrompting(TeacherConfig(), model)  # type: ignore[arg-type]
    teacher.prefer([(QUERY, ONE, TWO), (QUERY, TWO, ONE), (QUERY, ONE, TWO), (QUERY, ONE, THREE)])
    assert sorted(model.asked) == sorted([("one", "two"), ("two", "one"), ("one", "three"), ("three", "one")])
    assert teacher.prefer([]).shape == (0,)


def test_passages_are_cut() -> None:
    (message,) = pair_prompt("q", "a\n" * 9, "b {a}", 3)
    assert "Query: q\n\nPassage A: a a a\n\nPassage B: b {a}\n" in message.text


@pytest.mark.parametrize("name", SAMPLERS)
@given(st.integers(0, 40), st.floats(0, 1), st.integers(0, 99))
def test_pairs_are_distinct_and_as_many_as_asked_for(name: str, documents: int, rate: float, seed: int) -> None:
    pairs = SAMPLERS[name](documents, rate, np.random.default_rng(seed))
    every = documents * (documents - 1) // 2
    assert pairs.dtype == np.int64
    assert pairs.shape == (min(every, max(1, round(rate * every))), 2)
    assert len({tuple(pair) for pair in pairs.tolist()}) == len(pairs)
    assert all(0 <= first < second < documents for first, second in pairs.tolist())
    assert np.array_equal(pairs, SAMPLERS[name](documents, rate, np.random.default_rng(seed)))


def test_two_in_a_hundred() -> None:
    # n = 100: 4950 pairs, 2 % of them 99, 198 questions.
    assert count(100, 0.02) == 99
    assert len(uniform(100, 0.02, np.random.default_rng(0))) == 99


def frequency(sampler: Any) -> dict[tuple[int, int], float]:
    """How often the only pair drawn of three documents is each of the three."""
    rng = np.random.default_rng(0)
    drawn = [tuple(sampler(3, 0.0, rng)[0].tolist()) for _ in range(3000)]
    return {pair: drawn.count(pair) / len(drawn) for pair in ((0, 1), (0, 2), (1, 2))}


def test_pairs_are_drawn_by_their_weights() -> None:
    # Ranks 1, 2, 3. Sums of inverses: 3/2, 4/3, 5/6 of 11/3; differences: 1/2, 2/3, 1/6 of 4/3.
    assert frequency(uniform) == pytest.approx({(0, 1): 1 / 3, (0, 2): 1 / 3, (1, 2): 1 / 3}, abs=0.03)
    assert frequency(rank_weighted) == pytest.approx({(0, 1): 0.409, (0, 2): 0.364, (1, 2): 0.227}, abs=0.03)
    assert frequency(rank_diff) == pytest.approx({(0, 1): 0.375, (0, 2): 0.5, (1, 2): 0.125}, abs=0.03)


def test_weighing_by_rank_favours_the_top() -> None:
    means = [SAMPLERS[name](100, 0.02, np.random.default_rng(0)).mean() for name in ("rank-weighted", "uniform")]
    assert means[0] < means[1] - 10


def test_a_real_model(smollm2: Path, tmp_path: Path) -> None:
    teacher = build(TeacherConfig(model=str(smollm2)), Context(folder=tmp_path, build=lambda use: None))
    passages = ("Bread dough rises by yeast.", "Prune roses in winter.", "Galileo saw four moons of Jupiter.")
    docs = [Document(id=str(place), text=text) for place, text in enumerate(passages)]
    query = Query(id="q", text="moons of Jupiter")
    pairs = [(query, first, second) for first in docs for second in docs]
    chances = teacher.prefer(pairs).reshape(3, 3)
    assert np.array_equal(chances + chances.T, np.ones((3, 3)))
    assert np.array_equal(chances.diagonal(), [0.5] * 3)
    assert len(set(chances.round(6).ravel().tolist())) > 3
