"""Made-up evaluations for every test of the leaderboard, and the site that a small store of them gives."""

import importlib.util
import sys
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from harness_leaderboard.pages import build

DAY = date(2026, 3, 2)
FACTORY = Path(__file__).with_name("factory.py")


@pytest.fixture(scope="session")
def factory() -> ModuleType:
    spec = importlib.util.spec_from_file_location("leaderboard_factory", FACTORY)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def small_site(factory: ModuleType) -> dict[str, bytes]:
    return build(factory.small(), DAY, "A small board")
