import ast
import re
from dataclasses import replace
from datetime import date
from html import unescape
from types import ModuleType

import pytest
from harness_leaderboard.model_card import model_card
from harness_leaderboard.pages import build

from harness.store.records import Evaluation

LESSON = "5d5d5d5d5d5d5d5d"


@pytest.fixture
def trained(factory: ModuleType):
    def made(family: str = "dense", config: dict[str, object] | None = None, **training: object) -> Evaluation:
        usual = {
            "lesson": LESSON,
            "student": "/models/tiny",
            "teachers": ["mpnet"],
            "tasks": ["one", "two"],
            "budget": {"steps": 1500, "device_seconds": 2.5},
        }
        method = factory.method("margin-mse", kind="distiller", family=family)
        return factory.evaluation(of=method, config=config or {}, training=usual | training)

    return made


def test_what_a_student_is_made_of(trained):
    card = model_card([trained(config={"teacher": {"plugin": "mpnet", "config": {"scale": 20}}})])
    assert (card.student, card.teacher, card.tasks) == ("tiny", "mpnet scale=20", "one,two")
    assert card.budget == "2.5 device seconds, 1,500 steps"
    assert card.folders == [(0, LESSON)]


@pytest.mark.parametrize(
    ("family", "config", "loader"),
    [
        ("dense", {}, "SentenceTransformer"),
        ("sparse", {}, "SparseEncoder"),
        ("late-interaction", {}, "MultiVectorEncoder"),
        ("dense", {"form": "reranker"}, "CrossEncoder"),
    ],
)
def test_the_class_that_loads_it(trained, family: str, config: dict[str, object], loader: str):
    assert model_card([trained(family, config)]).loader == loader


def test_what_was_not_trained_or_is_of_no_known_family_has_no_card(trained, factory: ModuleType):
    assert model_card([factory.evaluation()]) is None
    assert model_card([trained("of-its-own")]) is None
    assert model_card([]) is None


def test_only_names_that_are_surely_names_get_into_a_command(trained):
    assert model_card([trained(lesson='"); import os; ("')]).folders == []


def test_the_command_on_the_page_is_python(trained):
    evaluations = [trained(), replace(trained(lesson="6e" * 8), seed=1, id="f" * 16)]
    site = dict(build(evaluations, date(2026, 3, 2), "Test"))
    (page,) = [text.decode() for path, text in site.items() if path.startswith("methods/")]
    code = unescape(re.search(r"<code>(import os.*?)</code>", page, flags=re.DOTALL)[1])
    ast.parse(code)
    assert f"trained/{LESSON}/student" in code
    assert f"trained/{'6e' * 8}/student" in page
