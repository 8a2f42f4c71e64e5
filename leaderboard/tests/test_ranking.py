from types import ModuleType

import numpy as np
import pytest
from harness_leaderboard.catalogue import method_key, methods_of, task_key, tasks_of
from harness_leaderboard.model import Result
from harness_leaderboard.ranking import Means, field, rank

from harness.store.records import Evaluation


def results(*evaluations: Evaluation) -> list[Result]:
    methods, tasks = methods_of(evaluations), tasks_of(evaluations)
    return [
        Result(method=methods[method_key(one)], task=tasks[task_key(one)], evaluations=(one,)) for one in evaluations
    ]


@pytest.fixture
def three(factory: ModuleType) -> list[Evaluation]:
    """`a` is better than `b` and `c`, which are equal, by 0.1, 0.3, 0.1 and 0.3."""
    task = factory.task(queries=4)
    values = {"a": [0.5, 0.6, 0.7, 0.8], "b": [0.4, 0.3, 0.6, 0.5], "c": [0.4, 0.3, 0.6, 0.5]}
    return [factory.evaluation(of=factory.method(name), on=task, values=found) for name, found in values.items()]


def test_two_methods_apart(three: list[Evaluation]):
    # t = 0.2 / (0.11547 / 2) = 3.4641 at 3 degrees of freedom: p = 1 - 2/π (atan 2 + 2/5) = 0.04052
    best, other = rank(results(three[1], three[0]))
    assert [best.result.method.name, other.result.method.name] == ["a", "b"]
    assert (best.group, best.mark, best.p) == (1, "best", None)
    assert (other.group, other.mark) == (2, "")
    assert other.p == pytest.approx(0.04052, abs=1e-5)
    assert best.value == pytest.approx(0.65)


def test_a_third_method_makes_the_same_difference_uncertain(three: list[Evaluation]):
    # three pairs: Holm multiplies the smallest p by 3
    standings = rank(results(*three))
    assert [standing.group for standing in standings] == [1, 1, 1]
    assert [standing.mark for standing in standings] == ["best", "tied", "tied"]
    assert [standing.p for standing in standings[1:]] == pytest.approx([0.12156, 0.12156], abs=1e-5)


def test_intervals_hold_the_mean_and_repeat(three: list[Evaluation]):
    first, second = rank(results(*three)), rank(results(*three))
    assert [standing.interval for standing in first] == [standing.interval for standing in second]
    for standing in first:
        assert standing.interval
        low, high = standing.interval
        assert low < standing.value < high


def test_a_lone_method_is_not_called_best(three: list[Evaluation]):
    (standing,) = rank(results(three[0]))
    assert (standing.mark, standing.group, standing.p) == ("", 1, None)


def test_without_values_by_query_nothing_is_tested(factory: ModuleType, three: list[Evaluation]):
    foreign = factory.evaluation(of=factory.method("d"), on=three[0].task, measures={"nDCG@10": 0.9}, per_query={})
    standings = rank(results(*three, foreign))
    assert standings[0].result.method.name == "d"
    assert (standings[0].group, standings[0].interval, standings[0].mark) == (None, None, "")
    assert standings[1].mark == "best"


def test_means_over_tasks_weigh_tasks_not_queries(factory: ModuleType):
    # On the small task `a` is better by 0.5, on the large one `b` by 0.2: over queries `b` leads, over tasks `a` does.
    small, large = factory.task("small", queries=10), factory.task("large", queries=90)
    chance = np.random.default_rng(3)
    noise = {task.name: chance.normal(0, 0.02, len(task.query_ids)) for task in (small, large)}
    level = {("a", "small"): 0.8, ("b", "small"): 0.3, ("a", "large"): 0.4, ("b", "large"): 0.6}
    found = {
        name: results(
            *(
                factory.evaluation(
                    of=factory.method(name), on=task, values=level[name, task.name] + sign * noise[task.name]
                )
                for task in (small, large)
            )
        )
        for name, sign in (("a", 1), ("b", -1))
    }
    keys = {name: rows[0].method.key for name, rows in found.items()}
    means = Means(list(keys.values()), [10, 90])
    for column in zip(*found.values(), strict=True):
        means.add(field(column))
    groups = means.groups()
    assert groups[keys["a"]] == 1
