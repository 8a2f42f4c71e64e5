"""Plugins with planted faults, and the names of the checks that they fail."""

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness.card import Kind
from harness.plugins import Registry, Source
from harness.testing.checks import CHECKS, card, failure
from harness.testing.subject import Subject

TOYS = Path(__file__).parent / "toys"


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry that knows nothing but the wrong plugins."""
    monkeypatch.syspath_prepend(str(TOYS))
    return Registry([Source("wrong", "harness-wrong", "1.0", EntryPoint("wrong", "harness_wrong", "harness"))])


@pytest.fixture
def failed(toys: Registry, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Makes the checks of a kind, those of its card left out, and gives what failed with the reason."""

    def check(kind: Kind, fault: str, **more: object) -> dict[str, str]:
        name = "wrong" if kind == "retriever" else f"wrong-{kind}"
        subject = Subject(registry=toys, kind=kind, name=name, options={"fault": fault}, folder=tmp_path, **more)
        reasons = {check.__name__: failure(check, subject) for check in CHECKS[kind] if check not in card.CHECKS}
        return {name: reason for name, reason in reasons.items() if reason}

    return check
