"""Evaluations move between stores whole and once, and nothing damaged or contradicting gets in."""

import gzip
import hashlib
import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from harness.cli.results import results
from harness.errors import StoreError
from harness.store import exchange, open_store
from harness.store.inspection import problems
from harness.store.records import Artefact

RUN = Artefact(name="run", path="feed/0123456789abcdef/run.parquet", sha256="ab" * 32, bytes=2**40)
STAGE = "5" * 16


@pytest.fixture
def there(tmp_path, sample):
    """A store with a first stage outside the suite, a method that starts from it, another suite and a failure."""
    store = open_store(str(tmp_path / "there.db"))
    store.put(sample(id=STAGE, suite="", division="open"))
    store.put(sample(first_stages=(STAGE,), artefacts=(RUN,), role="control", training={"curves": {"a": [1 / 3]}}))
    store.put(sample(id="e" * 16, suite="other"))
    store.put(sample(id="f" * 16, failed=True))
    return store


@pytest.fixture
def file(there, tmp_path):
    path = tmp_path / "results.jsonl.gz"
    exchange.export(there, path)
    return path


def rewritten(file, change, *, keep_hash: bool = False):
    """The file with its content changed; its hash is made true again unless it is to be kept."""
    header, _, content = gzip.decompress(file.read_bytes()).partition(b"\n")
    changed = change(content)
    told = json.loads(header)
    if not keep_hash:
        told["sha256"] = hashlib.sha256(changed).hexdigest()
    file.write_bytes(gzip.compress(json.dumps(told).encode() + b"\n" + changed))
    return file


def without_paths(evaluations):
    return [replace(one, artefacts=tuple(replace(item, path="") for item in one.artefacts)) for one in evaluations]


def counts(taken):
    assert (taken.files, taken.conflicts, taken.busy) == (0, (), ())
    return taken.added, taken.known


def test_what_goes_over_is_what_was_there_and_twice_is_once(there, store, file):
    assert counts(exchange.import_results(store, file)) == (4, 0)
    assert without_paths(store.evaluations()) == without_paths(there.evaluations())
    assert counts(exchange.import_results(store, file)) == (0, 4)
    assert counts(exchange.import_results(there, file)) == (0, 4)
    assert store.states([STAGE, "f" * 16]) == {STAGE: "done", "f" * 16: "failed"}


def test_equal_stores_give_equal_bytes(store, file, tmp_path):
    exchange.import_results(store, file)
    exchange.export(store, tmp_path / "again.gz")
    exchange.import_results(other := open_store(str(tmp_path / "other.db")), tmp_path / "again.gz")
    exchange.export(other, tmp_path / "third.gz")
    assert (tmp_path / "again.gz").read_bytes() == (tmp_path / "third.gz").read_bytes()
    assert without_paths(other.evaluations()) == without_paths(store.evaluations())


def test_a_suite_takes_its_first_stages_along(there, tmp_path, sample):
    path = tmp_path / "suite.gz"
    assert exchange.export(there, path, "beir-small").evaluations == 3
    taken = open_store(str(tmp_path / "a.db"))
    exchange.import_results(taken, path)
    assert [evaluation.id for evaluation in taken.evaluations()] == [sample().id, STAGE, "f" * 16]
    with pytest.raises(StoreError, match="beir-small, other"):
        exchange.export(there, path, "nothing")


def test_files_stay_behind_and_their_place_is_this_stores(store, file, sample):
    exchange.import_results(store, file)
    (artefact,) = store.evaluation(sample().id).artefacts
    assert store.artefact_path(artefact) == store.artefacts / sample().id / "run.parquet"
    assert [line for line in problems(store) if "belongs" in line] == []
    with pytest.raises(StoreError, match="copy it there"):
        store.checked_path(artefact)


def test_a_contradiction_stays_out_by_name_and_the_others_get_in(store, file, sample):
    values = {"nDCG@10": (0.1, 0.3, 0.6), "RR@10": (0.0, 0.1 + 0.2, 0.6), "AP": (1 / 3, 1 / 3, 1 / 3)}
    mine = sample(id="e" * 16, suite="other", measures={**sample().measures, "nDCG@10": 1 / 3}, per_query=values)
    store.put(mine)
    taken = exchange.import_results(store, file)
    assert (taken.added, taken.known) == (3, 0)
    (conflict,) = taken.conflicts
    assert conflict.evaluation.id == "e" * 16
    assert conflict.differs == ("nDCG@10: 0.3333 here, 0.3000 there; 1 of 3 queries differ",)
    assert store.evaluation("e" * 16) == mine


def test_a_failure_gives_way_and_never_takes_a_place(store, there, file, sample):
    store.put(sample(failed=True))
    store.put(sample(id="f" * 16))
    assert counts(exchange.import_results(store, file)) == (3, 1)
    assert store.states([sample().id, "f" * 16]) == {sample().id: "done", "f" * 16: "done"}


def test_changed_content_is_refused_by_its_hash_before_anything_is_stored(store, file):
    rewritten(file, lambda content: content.replace(b'"seed":7', b'"seed":9'), keep_hash=True)
    with pytest.raises(StoreError, match="damaged or changed"):
        exchange.import_results(store, file)
    assert store.evaluations() == []


def test_cut_or_foreign_files_are_refused(store, file, tmp_path):
    whole = file.read_bytes()
    for content in (whole[:-20], whole[: len(whole) // 2], b"", b"text", gzip.compress(b"[]"), gzip.compress(b"{}")):
        file.write_bytes(content)
        with pytest.raises(StoreError):
            exchange.import_results(store, file)
    assert store.evaluations() == []


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        (b'"seed":7', b'"seed":"7"', r"seed: expected int, got '7'"),
        (b'"seed":7', b'"seed":true', r"seed: expected int, got True"),
        (b'"seed":7', b'"sow":7', r"'sow'"),
        (b'"seed":7,', b"", r"lacks 'seed'"),
        (b'"state":"done"', b'"state":"dreamt"', r"dreamt"),
        (b'"role":"control"', b'"role":"referee"', r"referee"),
        (b'"per_query":{"nDCG@10":[0.1', b'"per_query":{"nDCG@10":[NaN', r"finite"),
        (b'"per_query":{"nDCG@10":[0.1', b'"per_query":{"nDCG@10":["a"', r"expected float"),
        (b'"id":"0123456789abcdef"', b'"id":"../../etc/passwd"', r"16 hexadecimal"),
        (b'"started":"2026', b'"started":"once', r"expected a time"),
        (b'"method":"', b'"method":"x', r"has the method"),
        (b'"kind":"task"', b'"kind":"trick"', r"trick"),
        (b'"kind":"task"', b'"kind":["task"]', r"task"),
        (b'"digest":"', b'"digest":["x"],"was":"', r"got 'environment'"),
        (b'"kind":"evaluation"', b'"kind":"evaluation","deep":' + b"[" * 100_000, r"expected JSON"),
    ],
)
def test_a_true_hash_does_not_excuse_what_is_no_record(store, file, old, new, word):
    with pytest.raises(StoreError, match=word):
        exchange.import_results(store, rewritten(file, lambda content: content.replace(old, new)))
    assert store.evaluations() == []


def test_a_file_that_unpacks_to_too_much_is_refused(store, file, monkeypatch):
    monkeypatch.setattr("harness.store.results_file.MOST_BYTES", 1000)
    with pytest.raises(StoreError, match="1000 bytes"):
        exchange.import_results(store, file)


def test_a_file_that_shrinks_to_next_to_nothing_is_refused(store, file, monkeypatch):
    """As a trap does: zeros that unpack to a thousand times their size."""
    monkeypatch.setattr("harness.store.results_file.FREE_BYTES", 1000)
    first, _, _ = gzip.decompress(file.read_bytes()).partition(b"\n")
    file.write_bytes(gzip.compress(first + b"\n" + b" " * 10_000_000))
    with pytest.raises(StoreError, match="unpacks to more than"):
        exchange.import_results(store, file)


def test_an_evaluation_that_comes_twice_is_refused(store, file):
    rewritten(file, lambda content: content + content.splitlines(keepends=True)[-1])
    with pytest.raises(StoreError, match="ffffffffffffffff twice"):
        exchange.import_results(store, file)
    assert store.evaluations() == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"name":"run","path"', b'"name":"../run","path"'),
        (b"/run.parquet", b"/.."),
        (b"/run.parquet", b"/.hidden"),
        (b"/run.parquet", b"/run\\u0000"),
        (b'"sha256":"abab', b'"sha256":"ABAB'),
        (b'"bytes":1099511627776', b'"bytes":-1'),
    ],
)
def test_artefacts_of_odd_names_or_sizes_are_refused(store, file, old, new):
    with pytest.raises(StoreError, match="plain names"):
        exchange.import_results(store, rewritten(file, lambda content: content.replace(old, new)))
    assert store.evaluations() == []


def test_two_artefacts_may_not_share_a_file(store, there, tmp_path, sample):
    there.put(sample(id="a" * 16, artefacts=(RUN, replace(RUN, name="top"))))
    exchange.export(there, tmp_path / "x.gz")
    with pytest.raises(StoreError, match="different names"):
        exchange.import_results(store, tmp_path / "x.gz")


def call(*words: object, status: int = 0) -> str:
    result = CliRunner().invoke(results, list(map(str, words)), catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def test_commands(there, tmp_path, sample):
    url, file = there.database.address, tmp_path / "moved.jsonl.gz"
    assert "3 evaluations" in call("export", file, "--suite", "beir-small", "--store", url)
    assert "3 evaluations added, 0 known" in call("import", file)
    assert "0 evaluations added, 3 known" in call("import", file)
    assert open_store().state(sample().id) == "done"
    assert "no/such" in call("export", tmp_path / "no/such/x.gz", status=1)
    assert "--suite" in call("export", "0123", "--suite", "beir-small", "--json", tmp_path / "x", status=2)
