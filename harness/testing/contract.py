"""The contracts as pytest classes, to be subclassed in a plugin's tests.

    class TestBm25(RetrieverContract):
        plugin = "bm25"
        options = {"k1": "0.9"}

An attribute that depends on a fixture is a fixture of the same name in the subclass. `harness_pytest` makes one test of
each check.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.card import Kind
from harness.records import Budget
from harness.testing.checks import Check
from harness.testing.subject import BUDGET, Subject


class Contract:
    """What the contracts of all kinds have in common."""

    kind: ClassVar[Kind]
    """Which checks are made."""
    plugin: ClassVar[str] = ""
    """`Card.name` of the installed plugin."""
    options: Any = {}  # noqa: RUF012 - a Mapping[str, str], or a fixture that gives one
    """Its options, as on the command line."""
    skip: ClassVar[Mapping[str, str]] = {}
    """Checks that make no sense for it, each with the reason."""

    def test_contract(self, harness_check: Check, harness_subject: Subject) -> None:
        """One check."""
        harness_check(harness_subject)


class RetrieverContract(Contract):
    """What every retriever keeps to."""

    kind = "retriever"


class TeacherContract(Contract):
    """What every teacher keeps to."""

    kind = "teacher"
    identity_options: ClassVar[Mapping[str, str]] = {}
    """Options that its answers depend on, each with a value other than the one it is tested with."""


class DistillerContract(Contract):
    """What every distiller keeps to; the student it makes is held to the retriever's contract."""

    kind = "distiller"
    student: Any = ""
    """The student's checkpoint, or a fixture that gives it."""
    teacher: Any = None
    """A teacher object, or a fixture that gives one; None takes one that gives every signal by shared words."""
    budget: ClassVar[Budget] = BUDGET
    """What each distillation may use."""


class TaskContract(Contract):
    """What every task keeps to."""

    kind = "task"
