"""Killed processes lose at most one shard; two processes share the work of one teacher."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from harness.signals.shards import shards_in
from harness.signals.store import FIRST_SHARD, SignalStore

ASKER = Path(__file__).parent / "asker.py"
PAIRS = 3000


def start(tmp_path, seconds=0.05):
    words = [str(tmp_path / "signals"), str(tmp_path / "log"), str(PAIRS), str(seconds)]
    return subprocess.Popen([sys.executable, str(ASKER), *words], stderr=subprocess.PIPE, text=True)


def asked(tmp_path):
    log = tmp_path / "log"
    return Counter(line for line in log.read_text().split("\n") if line) if log.exists() else Counter()


def test_sigkill_at_ten_random_moments_loses_at_most_a_shard_each(tmp_path):
    chance, store, lost = random.Random(1), SignalStore(tmp_path / "signals"), 0
    for _ in range(10):
        process = start(tmp_path)
        before = sum(asked(tmp_path).values())
        end = time.monotonic() + 30
        while sum(asked(tmp_path).values()) == before and process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        process.communicate()
        held = sum(len(shard.keys()) for shard in shards_in(store.folder("slow", "score")))
        new_loss = sum(asked(tmp_path).values()) - held - lost
        assert new_loss <= 2 * FIRST_SHARD, "more was lost than the shard in hand"
        lost += new_loss
    process = start(tmp_path)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert set(asked(tmp_path)) == {str(i) for i in range(PAIRS)}
    assert sum(asked(tmp_path).values()) - PAIRS == lost > 0
    for shard in shards_in(store.folder("slow", "score")):
        shard.verify()


def test_two_processes_ask_each_question_once(tmp_path):
    both = [start(tmp_path, seconds=0.2) for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert set(asked(tmp_path).values()) == {1}
    assert len(asked(tmp_path)) == PAIRS
