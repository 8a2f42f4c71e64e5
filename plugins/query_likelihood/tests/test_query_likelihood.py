"""Query likelihood: the definition on a random model, sense on a real one."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from harness_query_likelihood import CARD, Config
from harness_query_likelihood.method import QueryLikelihood
from transformers import AutoModelForCausalLM, AutoTokenizer

from harness.config import parse
from harness.contracts import Context
from harness.errors import ConfigError
from harness.plugins import registry
from harness.records import Document, Query
from harness.testing import TeacherContract
from harness.testing.models import tiny_causal_lm

Build = Callable[..., QueryLikelihood]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_causal_lm(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return lambda **knobs: QueryLikelihood(Config(**knobs), Context(folder=tmp_path, build=lambda use: None))


class TestContract(TeacherContract):
    plugin = "query-likelihood"
    identity_options: ClassVar = {"max_length": "32", "prompt": "{document} {query}"}

    @pytest.fixture
    def options(self, folder: str) -> dict[str, str]:
        return {"model": folder}


def pairs(query: str, *documents: str) -> list[tuple[Query, Document]]:
    return [(Query(id="q", text=query), Document(id=str(i), text=text)) for i, text in enumerate(documents)]


def test_the_definition(build: Build, folder: str) -> None:
    # 1/n · Σ log p(qₜ | x, q₁ … qₜ₋₁), x = "Passage: {d}\nQuestion this passage answers:", q the tokens of " {query}".
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    before = tokenizer("Passage: Cats Cats eat mice.\nQuestion this passage answers:").input_ids
    query = tokenizer(" what do cats eat", add_special_tokens=False).input_ids
    with torch.no_grad():
        scores = model(torch.tensor([before + query])).logits[0].log_softmax(-1)
    expected = np.mean([scores[len(before) - 1 + place, token] for place, token in enumerate(query)])
    pair = (Query(id="q", text="what do cats eat"), Document(id="d", title="Cats", text="Cats eat mice."))
    assert build(model=folder).score([pair])[0] == pytest.approx(expected, abs=1e-4)


def test_a_document_is_cut_and_the_query_is_not(build: Build, folder: str) -> None:
    teacher = build(model=folder, max_length=8)
    first, second, third = teacher.score(pairs("which", "12345678 and on", "12345678, else", "1234567 other"))
    assert first == pytest.approx(second, abs=1e-5)
    assert first != pytest.approx(third, abs=1e-3)
    short, long = teacher.score(pairs("which one", "d")), teacher.score(pairs("which one more", "d"))
    assert short[0] != pytest.approx(long[0], abs=1e-3)


def test_endless_texts_fit_the_model(build: Build, folder: str) -> None:
    given = build(model=folder, max_length=100000).score(pairs("query " * 1000, "text " * 1000, "x"))
    assert np.isfinite(given).all()


def test_a_query_without_tokens_prefers_nothing(build: Build, folder: str) -> None:
    given = build(model=folder, prompt="{document}\n{query}").score(pairs("", "one", "two"))
    assert given.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "prompt", ["{query}", "{document}", "{query} {document}", "{document} {document} {query}", "{document} {query}?"]
)
def test_prompts_that_make_no_sense(prompt: str) -> None:
    with pytest.raises(ConfigError, match="prompt"):
        parse(registry(), CARD, {"prompt": prompt})


def test_a_real_model_ranks_the_answer_first(build: Build, smollm2: Path) -> None:
    passages = (
        "Nineteen Eighty-Four is a dystopian book by the English author George Orwell.",
        "Hypertension is often caused by excess salt intake, obesity and stress.",
        "The mitochondria produce most of the cell's supply of energy.",
    )
    given = build(model=str(smollm2)).score(pairs("what causes high blood pressure", *passages))
    assert int(given.argmax()) == 1
    assert given[1] == pytest.approx(-2.134, abs=0.005)
