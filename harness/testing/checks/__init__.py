"""The checks of each kind of plugin: plain functions of a `Subject`, used by pytest and `harness plugins check` alike.

A check returns nothing, or raises `ContractError` with a sentence that says what was expected and what came. The first
check of a kind builds the plugin; where it fails, the others have nothing to look at.
"""

from collections.abc import Callable

from harness.card import Kind
from harness.testing.checks import card, distiller, retriever, task, teacher
from harness.testing.subject import Subject

Check = Callable[[Subject], None]

CHECKS: dict[Kind, tuple[Check, ...]] = {
    "retriever": (*retriever.CHECKS, *card.CHECKS),
    "teacher": (*teacher.CHECKS, *card.CHECKS),
    "distiller": (*distiller.CHECKS, *card.CHECKS),
    "task": (*task.CHECKS, *card.CHECKS),
}
"""Every check of a kind, in the order in which they are best read."""


def meaning(check: Check) -> str:
    """What the check asks for: the first line of its docstring."""
    return (check.__doc__ or "").strip().splitlines()[0]


def failure(check: Check, subject: Subject) -> str:
    """Why the check fails, in one line; empty if it passes."""
    try:
        check(subject)
    except Exception as error:  # a plugin is foreign code: whatever it raises is a finding
        reason = " ".join(str(error).split())
        return reason if type(error).__name__ == "ContractError" else f"{type(error).__name__}: {reason}"
    return ""
