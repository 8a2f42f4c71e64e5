"""Each question is put to a teacher once; damage, garbage and other teachers are never taken for answers."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from harness.errors import SignalError
from harness.records import Document, Query
from harness.signals.shards import shards_in


@pytest.mark.parametrize("workers", [1, 10], ids=["one after the other", "at once"])
def test_ten_distillers_over_one_store_and_teacher_ask_each_pair_once(remembering, counting, make_pairs, workers):
    teacher, pairs = counting(), make_pairs(6, 20)
    right = counting().score(pairs)

    def distil(seed):
        ours, order = remembering(teacher), np.random.default_rng(seed).permutation(len(pairs))[:100]
        for batch in np.split(order, 10):
            assert np.array_equal(ours.score([pairs[place] for place in batch]), right[batch])
        return ours.account, {int(place) for place in order}

    with ThreadPoolExecutor(workers) as pool:
        accounts, wanted = zip(*pool.map(distil, range(10)), strict=True)
    asked = Counter((query.id, document.id) for query, document in teacher.asked)
    assert set(asked.values()) == {1}
    assert len(asked) == len(set.union(*wanted)) == sum(account.calls for account in accounts)
    assert sum(account.stored for account in accounts) == 10 * 100 - len(asked)


def test_a_pair_that_comes_twice_is_asked_once_and_answered_twice(remembering, counting, make_pairs):
    teacher = counting()
    (pair,) = make_pairs(1, 1)
    assert remembering(teacher).score([pair, pair]).tolist() == pytest.approx([1.01, 1.01])
    assert len(teacher.asked) == 1


def test_only_content_counts_not_ids(remembering, counting):
    teacher = counting()
    ours = remembering(teacher)
    ours.score([(Query(id="a", text="x"), Document(id="1", text="y"))])
    ours.score([(Query(id="b", text="x"), Document(id="2", text="y"))])
    assert len(teacher.asked) == 1
    ours.score([(Query(id="a", text="x", instruction="be strict"), Document(id="1", text="y"))])
    ours.score([(Query(id="a", text="x"), Document(id="1", title="t", text="y"))])
    assert len(teacher.asked) == 3


def test_title_and_text_do_not_run_together(remembering, counting):
    teacher = counting()
    remembering(teacher).score(
        [(Query(id="a", text="x"), Document(id="1", title="a b", text="c")),
         (Query(id="a", text="x"), Document(id="1", title="a", text="b c"))]
    )  # fmt: skip
    assert len(teacher.asked) == 2


def test_another_identity_is_another_teacher(remembering, counting, make_pairs):
    pairs = make_pairs(1, 3)
    old, new = counting("weights@1"), counting("weights@2", lambda scores: scores * 2)
    assert np.array_equal(2 * remembering(old).score(pairs), remembering(new).score(pairs))
    assert len(new.asked) == 3


def test_every_kind_comes_back_as_it_was_given(remembering, counting):
    teacher = counting()
    query, docs = Query(id="q", text="what"), [Document(id=str(n), text="d" * n) for n in (2, 5, 1)]
    for _ in range(2):
        ours = remembering(teacher)
        assert ours.prefer([(query, docs[0], docs[1]), (query, docs[1], docs[0])]).tolist() == [0.25, 0.75]
        assert ours.order(query, docs).tolist() == [1, 0, 2]
        assert ours.embed(["ab", "abc"], "query").tolist() == [[2, 1], [3, 1]]
        assert ours.embed(["ab"], "document").tolist() == [[2, 0]]
        assert ours.generate(["say"]) == ["SAY"]
        assert ours.judge([(query, docs[1])]).tolist() == [2]
    assert len(teacher.asked) == 2 + 1 + 2 + 1 + 1 + 1


def test_garbage_is_refused_naming_the_pair_and_nothing_is_stored(remembering, store, counting, make_pairs):
    def spoil(scores):
        scores[2] = np.nan
        return scores

    with pytest.raises(SignalError, match="'q0' / 'd2'"):
        remembering(counting(answer=spoil)).score(make_pairs(1, 5))
    for answer, words in (
        (lambda scores: scores[:-1], "4 answers to 5 questions .*'q0' / 'd4'"),
        (lambda scores: scores[:0], "0 answers to 5 questions .*'q0' / 'd0'"),
        (lambda scores: np.append(scores, 1), "6 answers to 5 questions"),
        (lambda scores: np.array([1, 1, 1, 1, 1e300]), "1e\\+300 for 'q0' / 'd4'"),
        (lambda scores: scores[:, None], r"shape \(5, 1\)"),
    ):
        with pytest.raises(SignalError, match=words):
            remembering(counting(answer=answer)).score(make_pairs(1, 5))
    assert not list(store.root.rglob("*.parquet"))


def test_what_a_teacher_lacks_is_refused_by_name(remembering, make_pairs):
    class Mute:
        identity = "mute"

    with pytest.raises(SignalError, match="gives features; Mute lacks it"):
        remembering(Mute()).features(make_pairs(1, 1))
    with pytest.raises(SignalError, match="gives score; Mute lacks it"):
        remembering(Mute()).score(make_pairs(1, 1))


def test_budget_of_calls(remembering, counting, make_pairs):
    teacher = counting()
    ours = remembering(teacher, limit=5)
    ours.score(make_pairs(1, 5))
    ours.score(make_pairs(1, 5))
    with pytest.raises(SignalError, match="5 are used"):
        ours.score(make_pairs(2, 5))
    assert len(teacher.asked) == 5


@pytest.mark.parametrize("damage", ["flip", "truncate"])
def test_damage_is_detected(remembering, store, damage, counting, make_pairs):
    remembering(counting()).score(make_pairs(1, 40))
    (shard,) = shards_in(store.folder("toy@1", "score"))
    shard.verify()
    content = bytearray(shard.path.read_bytes())
    if damage == "flip":
        content[len(content) // 3] ^= 1
    else:
        del content[len(content) // 2 :]
    shard.path.write_bytes(content)
    with pytest.raises(SignalError, match="damaged"):
        remembering(counting()).score(make_pairs(1, 40))


def test_a_shard_in_the_wrong_folder_is_refused(remembering, store, counting, make_pairs):
    remembering(counting("one")).score(make_pairs(1, 2))
    (shard,) = shards_in(store.folder("one", "score"))
    target = store.folder("two", "score")
    target.mkdir(parents=True)
    shard.path.rename(target / shard.path.name)
    with pytest.raises(SignalError, match="wrong folder"):
        remembering(counting("two")).score(make_pairs(1, 2))


def test_provenance_is_in_the_shard(remembering, store, counting, make_pairs):
    remembering(counting(), description={"plugin": "toy"}).score(make_pairs(1, 2))
    (shard,) = shards_in(store.folder("toy@1", "score"))
    assert shard.provenance["teacher"] == "toy@1"
    assert shard.provenance["description"] == {"plugin": "toy"}
    assert shard.provenance["calls"] == 2
    assert shard.provenance["seconds"] >= 0
