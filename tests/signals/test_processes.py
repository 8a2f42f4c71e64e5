"""Killed processes lose at most one shard; two processes share the work of one teacher."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from subprocess import PIPE

from harness.signals.shards import shards_in
from harness.signals.store import FIRST_SHARD, SignalStore
from tests.conftest import PATIENCE

ASKER = Path(__file__).parent / "asker.py"
PAIRS = 2500


def start(tmp_path, seconds=0.05):
    words = [str(tmp_path / "signals"), str(tmp_path / "log"), str(PAIRS), str(seconds)]
    return subprocess.Popen([sys.executable, str(ASKER), *words], stdout=PIPE, stderr=PIPE, text=True)


def asked(tmp_path):
    """Every question that reached the teacher, in order; a line that a kill cut short is none."""
    log = tmp_path / "log"
    return log.read_text().split("\n")[:-1] if log.exists() else []


def held(tmp_path):
    """The questions whose answers are stored."""
    shards = shards_in(SignalStore(tmp_path / "signals").folder("slow", "score"))
    return {str(int(score)) for shard in shards for score in shard.values()}


def kill_while_it_asks(tmp_path, seconds):
    """Start a process, let it put its first question, and kill it so many seconds later."""
    before, process, end = len(asked(tmp_path)), start(tmp_path), time.monotonic() + PATIENCE
    while len(asked(tmp_path)) == before and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    time.sleep(seconds)
    process.kill()
    process.communicate()


def test_sigkill_at_ten_random_moments_loses_at_most_a_shard_each(tmp_path):
    chance, lost = random.Random(1), 0
    for _ in range(10):
        stored, before = held(tmp_path), len(asked(tmp_path))
        kill_while_it_asks(tmp_path, chance.uniform(0, 0.25))
        new = asked(tmp_path)[before:]
        assert stored.isdisjoint(new), "what was stored before a kill is never asked again"
        assert stored <= held(tmp_path)
        in_hand = set(new) - held(tmp_path)
        assert len(in_hand) <= 2 * FIRST_SHARD, "more was lost than the shard in hand"
        lost += len(in_hand)
    stored, before = held(tmp_path), len(asked(tmp_path))
    process = start(tmp_path)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert set(asked(tmp_path)[before:]) == {str(i) for i in range(PAIRS)} - stored
    assert len(asked(tmp_path)) - PAIRS == lost > 0
    for shard in shards_in(SignalStore(tmp_path / "signals").folder("slow", "score")):
        shard.verify()


def test_processes_ask_each_question_once_and_share_the_work(tmp_path):
    three = [start(tmp_path, seconds=0.2) for _ in range(3)]
    outs = [process.communicate(timeout=PATIENCE) for process in three]
    assert [process.returncode for process in three] == [0, 0, 0], outs
    assert Counter(asked(tmp_path)) == {str(i): 1 for i in range(PAIRS)}
    accounts = [json.loads(out) for out, _ in outs]
    assert sum(account["calls"] for account in accounts) == PAIRS
    assert all(account["calls"] + account["stored"] == PAIRS for account in accounts)
    assert sum(account["calls"] > 0 for account in accounts) >= 2, "the others waited instead of helping"
    assert not list((tmp_path / "signals").rglob(".asking-*"))


def test_what_a_killed_process_was_asking_is_asked_by_another_that_waits(tmp_path):
    first = start(tmp_path, seconds=60)  # its shards grow
    while len(asked(tmp_path)) < 3 * FIRST_SHARD:
        time.sleep(0.005)
    second = start(tmp_path, seconds=0.05)
    time.sleep(0.3)
    first.kill()
    first.communicate()
    _, errors = second.communicate(timeout=PATIENCE)
    assert second.returncode == 0, errors
    assert held(tmp_path) == {str(i) for i in range(PAIRS)}
