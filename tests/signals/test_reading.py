"""A file is read once in the life of a store; many lists lie in few files."""

import threading

import numpy as np
import pytest

from harness.records import Document, Query
from harness.signals import store as stores
from harness.signals.shards import Shard, shards_in
from harness.signals.store import SignalStore


@pytest.fixture
def verified(monkeypatch):
    """Names of the files whose hash is compared, in order."""
    names, verify = [], Shard.verify
    monkeypatch.setattr(Shard, "verify", lambda shard: (names.append(shard.path.name), verify(shard)))
    return names


def test_many_small_asks_read_each_file_once(remembering, counting, make_pairs, verified):
    teacher, pairs = counting(), make_pairs(10, 20)
    ours = remembering(teacher)
    scores = [ours.score(pairs[start : start + 2]) for start in range(0, 200, 2)]
    assert np.array_equal(np.concatenate(scores), counting().score(pairs))
    assert np.array_equal(ours.score(pairs), np.concatenate(scores))
    assert len(verified) == len(set(verified)) == 100
    assert len(teacher.asked) == 200


def test_what_another_process_has_stored_is_found_between_two_asks(remembering, counting, make_pairs, verified):
    teacher, pairs = counting(), make_pairs(1, 30)
    one, other = remembering(teacher), remembering(teacher)
    one.score(pairs[:10])
    other.score(pairs[:20])
    assert np.array_equal(one.score(pairs), counting().score(pairs))
    assert len(teacher.asked) == 30
    assert len(verified) == 3 + 2  # three files; the second process needed no look at the third


def test_many_lists_are_stored_together(remembering, counting, store):
    teacher, docs = counting(), [Document(id=str(n), text="d" * n) for n in (2, 5, 1)]
    questions = [(Query(id=str(n), text=f"what {n}"), docs[: 1 + n % 3]) for n in range(100)]
    orders = remembering(teacher).orders(questions)
    assert [order.tolist() for order in orders[:3]] == [[0], [1, 0], [1, 0, 2]]
    assert {order.dtype for order in orders} == {np.dtype(np.int64)}
    again = remembering(teacher)
    assert again.order(*questions[7]).tolist() == orders[7].tolist()
    assert len(teacher.asked) == 100
    assert len(shards_in(store.folder("toy@1", "order"))) == 7  # of 1, 2, 4, … lists: how long one takes is not known


def test_a_shard_is_no_larger_than_memory_allows(remembering, counting, make_pairs, store, monkeypatch):
    monkeypatch.setattr(stores, "SHARD_BYTES", 1000)
    remembering(counting()).score(make_pairs(10, 20))
    sizes = {len(shard.keys()) for shard in shards_in(store.folder("toy@1", "score"))}
    assert max(sizes - {stores.FIRST_SHARD}) < stores.FIRST_SHARD


def test_threads_may_share_a_store(counting, make_pairs, store):
    from harness.signals.teacher import RememberingTeacher

    teacher, shared = counting(), SignalStore(store.root)
    asks = [
        threading.Thread(target=RememberingTeacher(teacher=teacher, store=shared).score, args=[make_pairs(5, 20)])
        for _ in range(4)
    ]
    for ask in asks:
        ask.start()
    for ask in asks:
        ask.join()
    assert len(teacher.asked) == 100
