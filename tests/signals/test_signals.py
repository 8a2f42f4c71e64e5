"""Each question is put to a teacher once; damage, garbage and other teachers are never taken for answers."""

import numpy as np
import pytest

from harness.errors import SignalError
from harness.records import Document, Query
from harness.signals.shards import shards_in


def test_ten_distillers_over_one_teacher_ask_each_pair_once(remembering, counting, make_pairs):
    teacher = counting()
    pairs = make_pairs(6, 20)
    first = remembering(teacher).score(pairs)
    for start in range(9):
        later = remembering(teacher)
        part = pairs[start * 10 :]
        assert np.array_equal(later.score(part), first[start * 10 :])
        assert (later.account.calls, later.account.stored) == (0, len(part))
    assert len(teacher.asked) == len(pairs)


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
    with pytest.raises(SignalError, match="4 answers to 5 questions"):
        remembering(counting(answer=lambda scores: scores[:-1])).score(make_pairs(1, 5))
    assert not list(store.root.rglob("*.parquet"))


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
