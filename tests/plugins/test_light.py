"""Importing the harness, its command line and every installed plugin's cards imports nothing heavy."""

import json
import subprocess
import sys

from harness.testing.checks.card import HEAVY

PROGRAM = """
import json, sys
import harness, harness.card, harness.config, harness.plugins, harness.cli.main
cards = [card.name for card, _ in harness.plugins.registry().cards()]
broken = [str(broken.error) for broken in harness.plugins.registry().broken]
print(json.dumps({"cards": cards, "broken": broken, "modules": list(sys.modules)}))
"""


def test_every_card_of_every_installed_plugin_is_light():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["broken"] == []
    assert "bm25" in found["cards"]
    assert not set(HEAVY) & set(found["modules"])


def test_heavy_plugin_is_caught(site):
    """The same look at modules finds a plugin that imports one of them."""
    site.add("heavy", "import numpy")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": str(site.folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(HEAVY) & set(json.loads(done.stdout)["modules"]) == {"numpy"}
