"""Made-up evaluations for every test of the leaderboard, and the sites that small stores of them give."""

import importlib.util
import sys
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from harness_leaderboard.pages import build

DAY = date(2026, 3, 2)
HERE = Path(__file__).parent


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"leaderboard_{name}", HERE / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def factory() -> ModuleType:
    return load("factory")


@pytest.fixture(scope="session")
def closed() -> ModuleType:
    return load("closed")


@pytest.fixture(scope="session")
def small_site(factory: ModuleType) -> dict[str, bytes]:
    return dict(build(factory.small(), DAY, "A small board"))


@pytest.fixture(scope="session")
def closed_site(factory: ModuleType, closed: ModuleType) -> dict[str, bytes]:
    return dict(build(closed.suite(factory), DAY, "A closed suite"))


@pytest.fixture(scope="session", params=["small_site", "closed_site"])
def site(request: pytest.FixtureRequest) -> dict[str, bytes]:
    """Either site."""
    return request.getfixturevalue(request.param)
