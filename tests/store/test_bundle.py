"""A bundle brings evaluations and their files to another store, whole and checked, and nothing else gets in."""

import hashlib
import json
import stat
import zipfile
from dataclasses import replace

import pytest
from click.testing import CliRunner

from harness.cli.results import results
from harness.errors import StoreError
from harness.store import bundle, exchange, open_store, results_file
from harness.store.inspection import problems
from harness.store.records import Artefact

STAGE = "5" * 16


@pytest.fixture
def there(tmp_path, sample, with_run):
    """A store with a first stage outside the suite, a method that starts from it, both with runs, and a failure."""
    store = open_store(str(tmp_path / "there.db"))
    store.put(with_run(store, sample(id=STAGE, suite="", division="open")))
    store.put(with_run(store, sample(first_stages=(STAGE,))))
    store.put(sample(id="e" * 16, suite="other"))
    store.put(sample(id="f" * 16, failed=True))
    return store


@pytest.fixture
def file(there, tmp_path):
    path = tmp_path / "lab.bundle"
    assert exchange.write_bundle(there, path) == exchange.Given(evaluations=4, files=1)
    return path


def run_of(store, evaluation_id):
    (artefact,) = store.evaluation(evaluation_id).artefacts
    return store.checked_path(artefact)


def members(file) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def info(name: str, mode: int = stat.S_IFREG | 0o644, packed: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    made.create_system, made.external_attr, made.compress_type = 3, mode << 16, packed
    return made


def write(file, *entries: tuple[zipfile.ZipInfo, bytes]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for entry, content in entries:
            archive.writestr(entry, content)


def rewrite(file, change) -> None:
    """Write the archive anew with its members changed by `change`, a function of name → content."""
    content = members(file)
    change(content)
    write(file, *((info(name), content[name]) for name in content))


def test_evaluations_and_files_go_over_and_twice_is_once(there, store, file, sample):
    taken = exchange.unbundle(store, file)
    assert (taken.added, taken.known, taken.files, taken.conflicts, taken.busy) == (4, 0, 2, (), ())
    assert run_of(store, STAGE).read_bytes() == run_of(there, STAGE).read_bytes()
    assert run_of(store, sample().id).parent == store.artefacts / sample().id
    assert problems(store) == []
    again = exchange.unbundle(store, file)
    assert (again.added, again.known, again.files) == (0, 4, 0)
    assert [replace(one, artefacts=()) for one in store.evaluations()] == [
        replace(one, artefacts=()) for one in there.evaluations()
    ]


def test_equal_content_gives_equal_bytes_whatever_store_it_is_in(there, store, file, tmp_path):
    exchange.unbundle(store, file)
    for name, opened in (("again", there), ("other", store)):
        exchange.write_bundle(opened, tmp_path / name)
        assert (tmp_path / name).read_bytes() == file.read_bytes()


def test_files_that_are_not_here_are_left_out_and_counted(there, store, file, tmp_path, sample):
    run_of(there, STAGE).unlink()
    run_of(there, sample().id).unlink()
    assert exchange.write_bundle(there, tmp_path / "bare") == exchange.Given(evaluations=4, files=0, missing=1)
    assert exchange.unbundle(store, tmp_path / "bare").files == 0
    with pytest.raises(StoreError, match="copy it there"):
        run_of(store, STAGE)
    filled = exchange.unbundle(store, file)
    assert (filled.added, filled.known, filled.files) == (0, 4, 2), "what came without its files gets them later"
    assert problems(store) == []


def test_a_changed_file_is_not_given_to_others(there, tmp_path, sample):
    run_of(there, sample().id).write_bytes(b"changed")
    run_of(there, STAGE).write_bytes(b"changed")
    with pytest.raises(StoreError, match="changed"):
        exchange.write_bundle(there, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_suite_takes_its_first_stages_along(there, store, tmp_path):
    assert exchange.write_bundle(there, tmp_path / "x", "beir-small").evaluations == 3
    assert exchange.unbundle(store, tmp_path / "x").added == 3


FOREIGN = b"PAR1"
DIGEST = hashlib.sha256(FOREIGN).hexdigest()


def link(content, file):
    write(file, *((info(n), c) for n, c in content.items()), (info("files/" + DIGEST, stat.S_IFLNK | 0o777), b"/etc"))


def packed(content, file):
    write(file, *((info(name, packed=zipfile.ZIP_DEFLATED), data) for name, data in content.items()))


def twice(content, file):
    with pytest.warns(UserWarning, match="Duplicate"):
        write(file, *((info(n), c) for n, c in content.items()), (info("bundle.json"), content["bundle.json"]))


def named(name):
    def change(content, file):
        write(file, *((info(n), c) for n, c in content.items()), (info(name), b"x"))

    return change


def hidden_end(content, file):
    """A name that ends early for who reads up to NUL."""
    named("results.jsonl.gz!")(content, file)
    file.write_bytes(file.read_bytes().replace(b"results.jsonl.gz!", b"results.jsonl.gz\0"))


def without(name):
    def change(content, file):
        write(file, *((info(n), c) for n, c in content.items() if not n.startswith(name)))

    return change


def manifest(**changes):
    def change(content, file):
        content["bundle.json"] = json.dumps(json.loads(content["bundle.json"]) | changes).encode()
        write(file, *((info(n), c) for n, c in content.items()))

    return change


def other_bytes(content, file):
    """A file with another content of the same size under the same name."""
    (name,) = [name for name in content if name.startswith("files/")]
    content[name] = bytes(len(content[name]))
    write(file, *((info(n), c) for n, c in content.items()))


def ownerless(content, file):
    """A file that no evaluation left, named in the manifest."""
    told = json.loads(content["bundle.json"])
    content["bundle.json"] = json.dumps(told | {"files": {**told["files"], DIGEST: len(FOREIGN)}}).encode()
    content[f"files/{DIGEST}"] = FOREIGN
    write(file, *((info(n), c) for n, c in content.items()))


def bent_results(content, file):
    content["results.jsonl.gz"] = content["results.jsonl.gz"][:-9] + b"123456789"
    write(file, *((info(n), c) for n, c in content.items()))


def huge_claim(content, file):
    """A member that says it is larger than the archive: its sizes are changed in the archive's directory alone."""
    write(file, *((info(n), c) for n, c in content.items()))
    whole = bytearray(file.read_bytes())
    place = whole.rindex(b"PK\x01\x02")
    whole[place + 20 : place + 28] = (2**31).to_bytes(4, "little") * 2
    file.write_bytes(bytes(whole))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (named("../../etc/passwd"), r"a member '\.\./\.\./etc/passwd'"),
        (named("/etc/passwd"), "a member '/etc/passwd'"),
        (named("files/" + "a" * 63), "a member 'files/aaa"),
        (named("files/" + "A" * 64), "a member 'files/AAA"),
        (named("files/" + "a" * 64 + "/"), "a member"),
        (hidden_end, "a member 'results.jsonl.gz"),
        (named("notes.txt"), "a member 'notes.txt'"),
        (named("files/" + "a" * 64), "expected none"),
        (link, "as a link"),
        (packed, "packed or encrypted"),
        (twice, "bundle.json twice"),
        (without("bundle.json"), "no bundle.json"),
        (without("results"), "no results.jsonl.gz"),
        (without("files/"), "got none"),
        (manifest(format="harness-bundle-9"), "harness-bundle-9"),
        (manifest(evaluations=5), "5 in bundle.json and 4"),
        (manifest(evaluations=True), "`evaluations`"),
        (manifest(evaluations=None), "`evaluations`"),
        (manifest(files=[]), "`files`"),
        (manifest(files={"a": "b"}), "`files`"),
        (manifest(files={}), "expected none"),
        (other_bytes, "expected sha256"),
        (ownerless, "that an evaluation left"),
        (bent_results, "results.jsonl.gz"),
        (huge_claim, "that fit into"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_is_no_bundle_of_ours_is_refused_before_anything_is_written(file, own_home, tmp_path, change, word):
    store = open_store(str(tmp_path / "here.db"))
    before = sorted(own_home.rglob("*"))
    change(members(file), file)
    with pytest.raises(StoreError, match=word):
        exchange.unbundle(store, file)
    assert store.evaluations() == []
    assert sorted(own_home.rglob("*")) == before


def test_a_manifest_that_is_no_object_or_too_long_is_refused(file, tmp_path, monkeypatch):
    store = open_store(str(tmp_path / "here.db"))
    for content in (b"[]", b"{", b"\xff", b"[" * 100_000):
        rewrite(file, lambda all, content=content: all.__setitem__("bundle.json", content))
        with pytest.raises(StoreError, match=r"bundle\.json"):
            exchange.unbundle(store, file)
    monkeypatch.setattr(bundle, "MOST_MANIFEST_BYTES", 3)
    with pytest.raises(StoreError, match="at most 3 bytes"):
        exchange.unbundle(store, file)


def test_cut_bent_or_foreign_files_are_refused(store, file):
    whole = file.read_bytes()
    cut = [whole[: len(whole) * part // 40] for part in range(40)]
    bent = [whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :] for place in range(0, len(whole), 41)]
    unread = 0
    for content in [*cut, *bent, b"text", whole + whole[:100]]:
        file.write_bytes(content)
        try:
            taken = exchange.unbundle(store, file)
        except StoreError:
            unread += 1
        else:  # a byte that nobody reads, such as a time
            assert taken.conflicts == ()
    assert unread > len(cut) + len(bent) // 2
    for evaluation in store.evaluations():
        for artefact in evaluation.artefacts:
            store.checked_path(artefact)


def test_an_evaluation_that_may_not_be_stored_keeps_all_out(store, file, there):
    found = there.evaluations()
    odd = [replace(one, division="external") if one.id == STAGE else one for one in found]
    rewrite(file, lambda all: all.__setitem__("results.jsonl.gz", results_file.packed(odd)))
    with pytest.raises(StoreError, match="external"):
        exchange.unbundle(store, file)
    assert store.evaluations() == []
    assert not store.artefacts.exists()


def test_files_that_do_not_fit_are_refused(store, file, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(StoreError, match="10 are free"):
        exchange.unbundle(store, file)
    assert store.evaluations() == []


def test_a_file_that_changes_after_it_was_checked_leaves_nothing_of_its_portion(store, file, sample):
    with bundle.opened(file) as content:

        def changed(target):
            target.write_bytes(b"")
            raise StoreError("changed")

        copies = dict.fromkeys(content.copies, changed)
        with pytest.raises(StoreError, match="changed"):
            exchange.admit(store, content.evaluations, copies)
    assert store.evaluations() == []
    assert store.holder(f"evaluation:{sample().id}") is None
    assert [path for path in store.artefacts.rglob("*") if path.is_file()] == []
    assert exchange.unbundle(store, file).added == 4


def test_a_large_file_is_copied_in_blocks(tmp_path, sample, own_home, monkeypatch):
    """And equal files of two evaluations are in the archive once."""
    there, here = (open_store(str(tmp_path / name)) for name in ("a.db", "b.db"))
    content, ids = bytes(range(256)) * 20_000, ("a" * 16, "b" * 16)
    for evaluation_id in ids:
        path = there.artefacts / evaluation_id / "run.parquet"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        name = str(path.relative_to(own_home / "artefacts"))
        artefact = Artefact(name="run", path=name, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        there.put(sample(id=evaluation_id, artefacts=(artefact,)))
    exchange.write_bundle(there, tmp_path / "x")
    assert (tmp_path / "x").stat().st_size < 1.1 * len(content)
    assert exchange.unbundle(here, tmp_path / "x").files == 2
    assert {run_of(here, one).read_bytes() for one in ids} == {content}


def call(*words: object, status: int = 0) -> str:
    result = CliRunner().invoke(results, list(map(str, words)), catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def test_commands(there, tmp_path, sample):
    url, file = there.database.address, tmp_path / "moved"
    assert "3 evaluations and 1 file written" in call("bundle", file, "--suite", "beir-small", "--store", url)
    assert "3 evaluations added, 0 known already, 2 files stored" in call("unbundle", file)
    assert "0 evaluations added, 3 known already\n" in call("unbundle", file)
    assert open_store().state(sample().id) == "done"
    assert "no/such" in call("bundle", tmp_path / "no/such/x", "--store", url, status=1)
    run_of(there, STAGE).unlink()
    run_of(there, sample().id).unlink()
    assert "1 file not here" in call("bundle", file, "--store", url)


def test_a_conflict_is_shown_with_status_1_and_steers_no_terminal(there, tmp_path, sample):
    file, here = tmp_path / "moved", open_store()
    hostile = sample(id="c" * 16, method=replace(sample().method, name="\x1b[31mred"))
    there.put(hostile)
    call("bundle", file, "--store", there.database.address)
    values = {**sample().per_query, "AP": (0.0, 0.5, 0.5)}
    mine = replace(hostile, method=sample().method, device="gpu", per_query=values)
    here.put(mine)
    shown = call("unbundle", file, status=1)
    assert "4 evaluations added, 0 known already" in shown
    assert "1 conflict; what was stored stays" in shown
    assert f"{'c' * 16}  \\x1b[31mred on nfcorpus (test, seed 7)" in shown
    assert "AP: 0.3333333333333333 here, 0.3333333333333333 there; 3 of 3 queries differ" in shown
    assert "not the same either: code, device\n" in shown
    assert "\x1b" not in shown
    assert here.evaluation("c" * 16) == mine
    assert here.states([STAGE, "e" * 16]) == {STAGE: "done", "e" * 16: "done"}
