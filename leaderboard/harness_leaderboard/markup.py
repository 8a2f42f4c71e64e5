"""Parts of tables that stand on a site by the hundred thousand; a template's macro takes ten times as long.

Each gives what may stand on a page as it is; foreign text goes through `text`.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from harness_leaderboard import numbers
from harness_leaderboard.labels import Key
from harness_leaderboard.model import Method, Result, Task
from harness_leaderboard.public import visible, without_places
from harness_leaderboard.sections import Standing

MARKS = {
    "best": ("", '<span class="unseen"> best</span>'),
    "tied": (
        '<span class="sign" aria-hidden="true">≈</span>',
        '<span class="unseen"> not told apart from the best</span>',
    ),
    "": ("", ""),
}
"""What stands before and after a value."""


def text(value: str) -> Markup:
    """Foreign text, shown as text."""
    return escape(visible(value))


@lru_cache(maxsize=256)
def missing(why: str) -> Markup:
    """A cell of what is not there."""
    return Markup(
        f'<td class="number none"><span aria-hidden="true">{numbers.MISSING}</span>'
        f'<span class="unseen">{text(why)}</span></td>'
    )


def spread(value: float | None) -> Markup:
    """A deviation over seeds behind its mean; nothing without one."""
    return Markup("" if value is None else _spread(value))


def _spread(value: float) -> str:
    told = '<span class="unseen">, standard deviation </span>'
    return f'<span class="spread">{told}±{numbers.measure(value)}</span>'


def measured(value: float | None, deviation: float | None = None) -> Markup:
    """A cell with a measure."""
    if value is None:
        return missing("not measured")
    return Markup(f'<td class="number">{numbers.measure(value)}{spread(deviation)}</td>')


def spent(name: str, value: float | None) -> Markup:
    """A cell with a cost."""
    return missing("not measured") if value is None else Markup(f'<td class="number">{numbers.cost(name, value)}</td>')


def measures(names: Iterable[str], found: Mapping[str, float]) -> Markup:
    """A cell for each of these measures, a line each."""
    return Markup("".join([f"{measured(found.get(name))}\n" for name in names]))


def means(names: Iterable[str], result: Result) -> Markup:
    """A cell for each of these measures of a result, with deviations over seeds, a line each."""
    return Markup("".join([f"{measured(result.value(name), result.spread(name))}\n" for name in names]))


def costs(names: Iterable[str], result: Result) -> Markup:
    """A cell for each of these costs of a result, a line each."""
    return Markup("".join([f"{spent(name, result.cost(name))}\n" for name in names]))


def command(line: str) -> Markup:
    """A command; each of its words stays whole, so that no line breaks inside an option."""
    words = " ".join([f"<span>{text(word)}</span>" for word in without_places(line).split(" ")])
    return Markup(f'<pre tabindex="0"><code>{words}</code></pre>')


def standing(of: Standing) -> Markup:
    """A cell with the main measure of a result, marked if it is the best or not told apart from it."""
    before, after = MARKS[of.mark]
    deviation = of.result.spread(of.result.task.main)
    return Markup(f'<td class="number {of.mark}">{before}{numbers.measure(of.value)}{after}{spread(deviation)}</td>')


@lru_cache(maxsize=1024)
def cost_column(name: str) -> Markup:
    """The head of a column of costs."""
    label, unit = numbers.cost_head(name)
    below = f' <span class="unit">{text(unit)}</span>' if unit else ""
    return Markup(f'<th scope="col" class="number">{text(label)}{below}</th>')


class Links:
    """Names of methods and tasks with links, each made once for each depth of folder."""

    def __init__(self) -> None:
        """None is made yet."""
        self._made: dict[tuple[str, Key | str], Markup] = {}

    def method(self, root: str) -> Callable[[Method], Markup]:
        """Links from pages at this depth."""
        return lambda method: self._once((root, method.key), lambda: _method(root, method))

    def task(self, root: str) -> Callable[[Task], Markup]:
        """Links from pages at this depth."""
        return lambda task: self._once((root, task.key), lambda: _task(root, task))

    def _once(self, key: tuple[str, Key | str], make: Callable[[], str]) -> Markup:
        if (found := self._made.get(key)) is None:
            found = self._made[key] = Markup(make())
        return found


def _method(root: str, method: Method) -> str:
    kind = method.record.kind
    badge = f' <span class="badge">{text(kind)}</span>' if kind != "retriever" else ""
    apart = f' <bdi class="apart">{text(method.apart)}</bdi>' if method.apart else ""
    return f'<a class="name" href="{root}{method.page}"><bdi>{text(method.name)}</bdi></a>{badge}{apart}'


def _task(root: str, task: Task) -> str:
    split = f'<bdi class="minor">{text(task.record.split)}</bdi>'
    return f'<a href="{root}{task.page}"><bdi>{text(task.label)}</bdi></a> {split}'


def functions() -> Mapping[str, Any]:
    """All of them, by the names that the templates' macros give them."""
    links = Links()
    return {
        "cells": {
            function.__name__: function
            for function in (missing, spread, measured, spent, standing, measures, means, costs, command, cost_column)
        },
        "links": links,
    }
