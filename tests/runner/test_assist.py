"""Processes encode one corpus together, and what comes out is what one process finds."""

import json
from collections import Counter

from tests.conftest import PATIENCE

WORDS = ["run", "--plugin", "slow-encoder", "--task", "other", "-o"]
BLOCKS = 25


def encoded(lab) -> list[list[str]]:
    """Node and first words of every block that was encoded, in order."""
    return [line.split(" ", 1) for line in (lab.folder / "home" / "encoded.log").read_text().splitlines()]


def test_an_idle_worker_helps_and_only_one_evaluates(lab, monkeypatch):
    both = []
    for node in ("one", "two"):  # two parts of this machine, each with a CPU of its own
        monkeypatch.setenv("HARNESS_NODE", node)
        both.append(lab.start(*WORDS, "seconds=0.4"))
    outs = [process.communicate(timeout=PATIENCE) for process in both]
    assert sorted(out.split(",")[0][-6:] for out, _ in outs) == ["0 done", "1 done"], outs
    blocks = encoded(lab)
    assert Counter(block for _, block in blocks).most_common(1)[0][1] == 1, "a block was encoded twice"
    assert len(blocks) == BLOCKS
    assert {node for node, _ in blocks} == {"one", "two"}
    (row,) = lab.results()
    cost = json.loads(lab.harness("results", "show", row["id"], "--format", "json"))["cost"]
    assert cost["index_blocks_of_others"] == min(Counter(node for node, _ in blocks).values())
    found = json.loads(lab.harness("reproduce", row["id"], "--format", "json"))
    assert found["verdict"] == "equal"
    assert not list((lab.folder / "home" / "indexes" / "unfinished").glob("*"))
    assert not list((lab.folder / "home" / "work").glob("*"))


def test_a_helper_that_fails_harms_nobody(lab, monkeypatch):
    monkeypatch.setenv("HARNESS_NODE", "one")
    first = lab.start(*WORDS, "seconds=0.3")
    monkeypatch.setenv("HARNESS_NODE", "two")
    second = lab.start(*WORDS, "seconds=0.3")
    second.kill()
    second.communicate()
    out, errors = first.communicate(timeout=PATIENCE)
    assert "1 done" in out, errors
