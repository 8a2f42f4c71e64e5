"""What pytest loads in every project that has the harness installed; so it imports nothing of the harness itself."""

from typing import Any

import pytest

SHARED = ("options", "student", "teacher", "budget", "identity_options")
"""Attributes of a contract class that are handed to the subject under test; each may be a fixture instead."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each check of the contract's kind."""
    if "harness_check" not in metafunc.fixturenames:
        return
    from harness.testing.checks import CHECKS

    contract: Any = metafunc.cls
    checks = {check.__name__: check for check in CHECKS[contract.kind]}
    if unknown := set(contract.skip) - set(checks):
        raise pytest.UsageError(
            f"{contract.__name__}.skip: no check named {min(unknown)!r}; it has {', '.join(checks)}"
        )
    marks = {name: [pytest.mark.skip(reason=reason)] for name, reason in contract.skip.items()}
    cases = [pytest.param(check, id=name, marks=marks.get(name, [])) for name, check in checks.items()]
    metafunc.parametrize("harness_check", cases)


@pytest.fixture(scope="session")
def harness_last_subject() -> dict[str, Any]:
    """The subject of the contract class that ran last, so that its checks share a model and an index."""
    return {}


@pytest.fixture
def harness_subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, harness_last_subject: dict[str, Any]
) -> Any:
    """The plugin that a contract class names, under test."""
    from harness.plugins import registry
    from harness.testing.subject import Subject

    contract: Any = request.cls
    values = {name: _value(request, name) for name in SHARED if hasattr(contract, name)}
    if harness_last_subject.get("of") != (contract, values):
        folder = tmp_path_factory.mktemp("contract")
        made = Subject(registry=registry(), kind=contract.kind, name=contract.plugin, folder=folder, **values)
        harness_last_subject.update(of=(contract, values), subject=made)
    return harness_last_subject["subject"]


def _value(request: pytest.FixtureRequest, name: str) -> Any:
    """The class's attribute, or what the fixture of this name gives."""
    value = getattr(request.cls, name)
    return request.getfixturevalue(name) if callable(value) else value


@pytest.fixture
def harness_tiny_task(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The small collection that contracts are checked on, as a task."""
    from harness.testing.tiny import tiny_task

    return tiny_task(tmp_path_factory.mktemp("tiny"))
