"""What the command line says → chosen methods, and back to the command that makes an evaluation again."""

import pytest

from harness.config import pairs, use
from harness.errors import ConfigError
from harness.plugins import Registry, scan
from harness.records import Budget
from harness.runner.choose import Lessons, budget, choose
from harness.runner.plan import check_method
from harness.runner.record import options


@pytest.fixture(scope="module")
def known():
    return Registry(scan())


def test_one_plugin_takes_all_options(known):
    (method,) = choose(known, ["bm25"], {"k1": "1.2"}, Lessons())
    assert (method.use.kind, method.use.config.k1, method.teacher, method.student) == ("retriever", 1.2, None, "")


def test_several_plugins_take_those_with_their_name(known):
    given = {"bm25.k1": "1.2", "cascade.base.k1": "2", "cascade.teacher": "embedder", "cascade.teacher.model": "m"}
    first, second = choose(known, ["bm25", "cascade"], given, Lessons())
    assert first.use.config.k1 == 1.2
    assert second.use.config.base.config.k1 == 2
    assert second.use.config.teacher.config.model == "m"
    for wrong in ({"k1": "1"}, {"dense.model": "m"}):
        with pytest.raises(ConfigError, match=r"-o PLUGIN\.option"):
            choose(known, ["bm25", "cascade"], wrong, Lessons())


def test_teacher_of_a_cascade_and_of_a_distiller(known):
    (cascade,) = choose(known, ["cascade"], {"teacher.model": "m"}, Lessons(teacher="embedder"))
    assert (cascade.use.config.teacher.name, cascade.teacher) == ("embedder", None)
    lessons = Lessons(teacher="embedder", student="s", budget=Budget(steps=5))
    (distiller,) = choose(known, ["margin-mse"], {"teacher.model": "m", "steps": "9"}, lessons)
    assert (distiller.teacher.config.model, distiller.student, distiller.use.config.steps) == ("m", "s", 9)
    assert distiller.budget.steps == 5


@pytest.mark.parametrize(
    ("plugin", "options", "lessons", "message"),
    [
        ("embedder", {"model": "m"}, Lessons(), "--plugin cascade"),
        ("bm25", {}, Lessons(student="s"), "takes no"),
        ("bm25", {}, Lessons(budget=Budget(steps=1)), "takes no"),
        ("margin-mse", {}, Lessons(student="s"), "needs a teacher that gives score"),
    ],
)
def test_what_can_not_be_evaluated_is_refused(known, plugin, options, lessons, message):
    (method,) = choose(known, [plugin], options, lessons)
    with pytest.raises(ConfigError, match=message):
        check_method(known, method)


def test_pairs_and_budget(known):
    assert pairs(["a=1", "b=x=y"], "-o") == {"a": "1", "b": "x=y"}
    for wrong in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(ConfigError):
            pairs(wrong, "-o")
    assert budget({"steps": "3", "seconds": "1.5"}) == Budget(steps=3, seconds=1.5)
    for wrong in ({"step": "3"}, {"steps": "x"}, {"steps": "0"}, {"seconds": "nan"}):
        with pytest.raises(ConfigError):
            budget(wrong)


@pytest.mark.parametrize(
    ("plugin", "given"),
    [
        ("bm25", {"k1": "1.5", "stemmer": "none"}),
        ("fusion", {"parts": "bm25,bm25", "parts.1.b": "0.9"}),
        (
            "cascade",
            {"base": "bm25", "base.k1": "2.0", "teacher": "embedder", "teacher.model": "m", "keep_rest": "false"},
        ),
        ("dense", {"model": "m", "max_length": "128", "query_prompt": "query: "}),
    ],
)
def test_recorded_options_make_the_same_configuration(known, plugin, given):
    chosen = use(known, ("retriever",), plugin, given)
    assert use(known, ("retriever",), plugin, options(chosen)) == chosen


@pytest.mark.parametrize("limit", [{"seconds": "inf"}, {"seconds": "1e999"}, {"steps": "9" * 400}, {"seconds": "nan"}])
def test_a_budget_without_end_is_left_out_not_given(limit):
    with pytest.raises(ConfigError, match="above 0 and finite"):
        budget(limit)
