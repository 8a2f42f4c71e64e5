"""Generator: what the model is asked and how it writes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from harness_generator import CARD, Config
from harness_generator.method import TextGenerator, build

from harness.config import parse
from harness.contracts import Context
from harness.errors import ConfigError
from harness.plugins import registry
from harness.testing import TeacherContract
from harness.testing.models import tiny_causal_lm
from harness.text.causal import load_causal_lm
from harness.text.generation import generate
from harness.text.model import Message, Prompt


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_causal_lm(tmp_path_factory.mktemp("models") / "tiny")


class TestContract(TeacherContract):
    plugin = "generator"
    identity_options: ClassVar = {
        "template": "Text: {prompt}",
        "system": "Be brief.",
        "max_new_tokens": "9",
        "stop": "x",
        "temperature": "0.5",
        "precision": "bfloat16",
    }

    @pytest.fixture
    def options(self, folder: str) -> dict[str, str]:
        return {"model": folder, "max_new_tokens": "12"}


class TestContractWhereTokensAreDrawn(TestContract):
    identity_options: ClassVar = {}

    @pytest.fixture
    def options(self, folder: str) -> dict[str, str]:
        return {"model": folder, "max_new_tokens": "12", "temperature": "1"}


class Parrot:
    """Notes what it is asked."""

    identity = "parrot"

    def __init__(self) -> None:
        self.asked: list[tuple[list[Prompt], dict[str, Any]]] = []

    def write(self, prompts: Sequence[Prompt], **wanted: Any) -> list[str]:
        self.asked.append((list(prompts), wanted))
        return ["said"] * len(prompts)


def test_what_is_asked() -> None:
    model = Parrot()
    config = Config(template="Text: {prompt}\nQuestion:", stop=(r"\n", "?"), max_new_tokens=7, temperature=0.5)
    assert TextGenerator(config, model, seed=3).generate(["{prompt} {x}", ""]) == ["said", "said"]  # type: ignore[arg-type]
    wanted = {"max_new_tokens": 7, "stop": ("\n", "?"), "temperature": 0.5, "seed": 3}
    assert model.asked == [(["Text: {prompt} {x}\nQuestion:", "Text: \nQuestion:"], wanted)]


def test_a_system_message() -> None:
    model = Parrot()
    TextGenerator(Config(system="Be brief."), model).generate(["p"])  # type: ignore[arg-type]
    assert model.asked[0][0] == [(Message("system", "Be brief."), Message("user", "p"))]


def test_a_local_model_goes_on_from_the_prompt(folder: str, tmp_path: Path) -> None:
    made = build(Config(model=folder, max_new_tokens=6), Context(folder=tmp_path, build=lambda use: None))
    assert made.generate(["bread"]) == generate(load_causal_lm(folder), ["bread"], max_new_tokens=6)


def test_the_seed_counts_only_where_tokens_are_drawn() -> None:
    def identities(temperature: float) -> set[str]:
        config = Config(temperature=temperature)
        return {TextGenerator(config, Parrot(), seed).identity for seed in (1, 2)}  # type: ignore[arg-type]

    assert [len(identities(0.0)), len(identities(0.7))] == [1, 2]


@pytest.mark.parametrize(
    "options", [{"template": "no place"}, {"template": "{prompt}{prompt}"}, {"stop": ","}, {"model": "endpoint:x"}]
)
def test_options_that_make_no_sense(options: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options)) if "model" not in options else "endpoint"):
        parse(registry(), CARD, options)
