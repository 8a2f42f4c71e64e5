"""The hooks, on one page. docs/hooks.md has an entry and tests/test_hooks.py a test for each."""

from collections.abc import Callable, Mapping
from typing import Any

import pluggy

from harness.card import Card

PROJECT = "harness"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def harness_retrievers() -> list[Card]:  # type: ignore[empty-body]
    """Called at discovery: return the cards of the retrievers that this plugin provides."""


@hookspec
def harness_teachers() -> list[Card]:  # type: ignore[empty-body]
    """Called at discovery: return the cards of the teachers that this plugin provides."""


@hookspec
def harness_distillers() -> list[Card]:  # type: ignore[empty-body]
    """Called at discovery: return the cards of the distillers that this plugin provides."""


@hookspec
def harness_tasks() -> list[Card]:  # type: ignore[empty-body]
    """Called at discovery: return the cards of the tasks, or families of tasks, that this plugin provides."""


@hookspec
def harness_suites() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Called when a suite is asked for by name: return suite names with the paths of their TOML files."""


@hookspec
def harness_measures() -> Mapping[str, Callable[..., Any]]:  # type: ignore[empty-body]
    """Called before scoring: return measure names with functions (run, qrels, corpus) → one value a query."""


@hookspec
def harness_commands(cli: Any) -> None:
    """Called when the command line is built: add click commands to the group `cli`."""


@hookspec
def harness_evaluation_started(evaluation: Mapping[str, Any]) -> None:
    """Called in the worker before an evaluation: what is about to run (id, method, config, task, seed)."""


@hookspec
def harness_evaluation_finished(evaluation: Mapping[str, Any]) -> None:
    """Called in the worker after an evaluation is stored: as `started`, with measures and cost."""


@hookspec
def harness_evaluation_failed(evaluation: Mapping[str, Any], error: str) -> None:
    """Called in the worker after a failed evaluation is stored: as `started`, and the error."""
