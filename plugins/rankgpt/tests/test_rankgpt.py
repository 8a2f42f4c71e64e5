"""RankGPT: any answer makes a permutation, the window carries the best to the top, and a real model can be asked."""

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from harness_rankgpt import CARD, Config
from harness_rankgpt.method import RankGPT, build
from harness_rankgpt.permutation import parse_order, windows
from harness_rankgpt.prompt import permutation_prompt
from hypothesis import given
from hypothesis import strategies as st

from harness.config import parse
from harness.contracts import Context
from harness.errors import ConfigError, DataError
from harness.plugins import registry
from harness.records import Document, Query
from harness.testing import TeacherContract
from harness.testing.models import tiny_causal_lm
from harness.text.model import Prompt


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_causal_lm(tmp_path_factory.mktemp("models") / "tiny", context=1024)


class TestContract(TeacherContract):
    plugin = "rankgpt"
    identity_options: ClassVar = {"window": "4", "step": "2", "words": "5", "precision": "bfloat16"}

    @pytest.fixture
    def options(self, folder: str) -> dict[str, str]:
        return {"model": folder, "chat": "false", "window": "3", "step": "1", "words": "20"}


class Posing:
    """Answers a permutation prompt in the order of the numbers in its passages: a perfect ranker posing as a model."""

    identity = "posing"

    def __init__(self, answer: Callable[[list[int]], str] | None = None, room: int = 10**9) -> None:
        self.sizes: list[int] = []
        """Passages in each prompt."""
        self._answer, self._room = answer or self._perfect, room

    def fits(self, prompt: Prompt, new_tokens: int) -> bool:
        return sum(len(message[1]) for message in prompt) + new_tokens <= self._room

    def write(self, prompts: Sequence[Prompt], **wanted: Any) -> list[str]:
        (prompt,) = prompts
        if not self.fits(prompt, wanted["max_new_tokens"]):
            raise DataError("too long")
        worth = [int(number) for number in re.findall(r"^\[\d+\] worth (\d+)", str(prompt[-1][1]), re.M)]
        self.sizes.append(len(worth))
        return [self._answer(worth)]

    @staticmethod
    def _perfect(worth: list[int]) -> str:
        return " > ".join(f"[{place + 1}]" for place in sorted(range(len(worth)), key=lambda place: -worth[place]))


QUERY = Query(id="q", text="query")


def documents(worth: Sequence[int]) -> list[Document]:
    return [Document(id=str(place), text=f"worth {own}") for place, own in enumerate(worth)]


def order(model: Posing, worth: Sequence[int], **knobs: Any) -> list[int]:
    return RankGPT(Config(**knobs), model).order(QUERY, documents(worth)).tolist()  # type: ignore[arg-type]


@given(st.text() | st.text(alphabet="0123456789[]> "), st.integers(0, 30))
def test_any_text_is_a_permutation(text: str, count: int) -> None:
    assert sorted(parse_order(text, count)) == list(range(count))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[2] > [3] > [1]", [1, 2, 0, 3]),  # the one that isn't named stays last
        ("4,4 3 0 5 -1", [3, 2, 0, 1]),  # 0 and 5 are no passages; a sign is no digit
        ("no idea", [0, 1, 2, 3]),
        ("9" * 5000 + " 2", [1, 0, 2, 3]),  # more digits than Python reads
        ("0" * 5000 + "2", [1, 0, 2, 3]),
        ("² ٢ 3", [2, 0, 1, 3]),  # other scripts' digits are none
    ],
)
def test_by_hand(text: str, expected: list[int]) -> None:
    assert parse_order(text, 4) == expected


@given(st.integers(1, 150), st.integers(2, 30), st.data())
def test_windows_cover_the_list_in_so_many_calls(count: int, size: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(1, size))
    parts = [range(count)[part] for part in windows(count, size, step)]
    assert len(parts) == (1 if size >= count else math.ceil((count - size) / step) + 1)
    assert {place for part in parts for place in part} == set(range(count))
    assert {len(part) for part in parts} == {min(size, count)}
    assert parts[0][-1] == count - 1
    assert parts[-1][0] == 0


@pytest.mark.parametrize(
    ("count", "calls"), [(100, 9), (95, 9), (25, 2), (21, 2), (20, 1), (7, 1), (2, 1), (1, 0), (0, 0)]
)
def test_one_pass_brings_the_best_to_the_top_in_order(count: int, calls: int) -> None:
    # With w = 20 and s = 10: the best w - s = 10 of all, and the whole list where one window holds it.
    worth = np.random.default_rng(count).permutation(count)
    model = Posing()
    found = [int(worth[place]) for place in order(model, worth.tolist())]
    sure = count if count <= 20 else 10
    assert found[:sure] == list(range(count))[::-1][:sure]
    assert sorted(found) == list(range(count))
    assert model.sizes == [min(count, 20)] * calls


def test_a_model_that_says_nothing_of_use_changes_nothing() -> None:
    assert order(Posing(lambda worth: "I can't."), range(50)) == list(range(50))


def test_passages_are_cut_and_their_numbers_kept_apart() -> None:
    task = permutation_prompt("q " * 400, ["a\n[3] b " * 200, "c"], 300)[-1].text
    assert "[1] a (3) b" in task
    assert task.count("(3)") == 100
    assert "\n[2] c\n" in task
    assert task.count("q ") == 299


def test_a_window_that_is_too_long_is_cut_further() -> None:
    long = [Document(id=str(place), text=f"worth {place} " + "word " * 300) for place in range(5)]
    model = Posing(room=1500)
    assert RankGPT(Config(), model).order(QUERY, long).tolist() == [4, 3, 2, 1, 0]  # type: ignore[arg-type]
    with pytest.raises(DataError):
        RankGPT(Config(), Posing(room=10)).order(QUERY, long)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"window": "1"}, {"step": "0"}, {"window": "5", "step": "6"}, {"words": "0"}])
def test_options_that_make_no_sense(options: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        parse(registry(), CARD, options)


def test_a_real_model(smollm2: Path, tmp_path: Path) -> None:
    teacher = build(Config(model=str(smollm2)), Context(folder=tmp_path, build=lambda use: None))
    passages = ("Bread dough rises by yeast.", "Prune roses in winter.", "Galileo saw four moons of Jupiter.")
    docs = [Document(id=str(place), text=text) for place, text in enumerate(passages)]
    given = teacher.order(Query(id="q", text="moons of Jupiter"), docs)
    assert given.dtype == np.int64
    assert sorted(given.tolist()) == [0, 1, 2]
