"""An index is made once, for all queries and measures; one that is damaged, or of anything else, is never used."""

import json

import pytest

WORDS = ("run", "--plugin", "toy", "--task", "small")


def shown(lab) -> dict:
    (row,) = lab.results()
    return json.loads(lab.harness("results", "show", row["id"], "--format", "json"))


def kept(lab) -> list:
    return sorted((lab.folder / "home" / "indexes").glob("*/note.json"))


@pytest.fixture
def first(lab):
    """The evaluation that made the index, forgotten by the store."""
    lab.harness(*WORDS)
    found = shown(lab)
    lab.harness("results", "remove", found["id"], "--yes")
    return found


def test_the_same_again_opens_it_and_costs_and_finds_the_same(lab, first):
    lab.harness(*WORDS)
    again = shown(lab)
    assert "index_stored" not in first["cost"]
    assert again["cost"]["index_stored"] == 1
    for name in ("index_seconds", "index_bytes"):
        assert again["cost"][name] == first["cost"][name]
    assert again["measures"] == first["measures"]
    assert [run["sha256"] for run in again["artefacts"]] == [run["sha256"] for run in first["artefacts"]]


def test_another_query_set_of_the_corpus_finds_it(lab, first):
    qrels = lab.folder / "data" / "small" / "qrels"
    lines = (qrels / "test.tsv").read_text().splitlines()
    (qrels / "dev.tsv").write_text("\n".join(lines[:6]) + "\n")
    lab.harness(*WORDS, "--split", "dev")
    assert shown(lab)["cost"]["index_stored"] == 1


def test_anything_that_could_change_it_makes_another(lab, first, monkeypatch):
    lab.harness(*WORDS, "--seed", "3")
    lab.harness(*WORDS, "-o", "weight=2")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    lab.harness(*WORDS)
    with (lab.folder / "data" / "small" / "corpus.jsonl").open("a") as corpus:
        corpus.write(json.dumps({"_id": "d999", "text": "one more"}) + "\n")
    lab.harness(*WORDS)
    assert len(kept(lab)) == 5
    assert [row for row in lab.results() if "index_stored" in row["cost"]] == []


def flip(file, note):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut(file, note):
    file.write_bytes(file.read_bytes()[:-1])


def lose(file, note):
    file.unlink()


def add(file, note):
    file.with_name("more").write_bytes(b"1")


def cut_note(file, note):
    note.write_text(note.read_text()[:-9])


@pytest.mark.parametrize("damage", [flip, cut, lose, add, cut_note])
def test_a_damaged_one_is_made_again(lab, first, damage):
    (note,) = kept(lab)
    sound = {path: path.read_bytes() for path in (note.parent / "files").iterdir()}
    damage(next(iter(sound)), note)
    lab.harness(*WORDS)
    again = shown(lab)
    assert "index_stored" not in again["cost"]
    assert again["measures"] == first["measures"]
    assert kept(lab) == [note]
    assert {path: path.read_bytes() for path in (note.parent / "files").iterdir()} == sound


def test_those_unused_for_longest_make_room(lab, first, monkeypatch):
    monkeypatch.setenv("HARNESS_INDEXES_GB", str(2.5 * first["cost"]["index_bytes"] / 1e9))
    before = kept(lab)
    lab.harness(*WORDS, "--seed", "1", "--seed", "2")
    assert len(kept(lab)) == 2
    assert not set(before) & set(kept(lab))


def test_none_is_kept_where_nobody_wants_any(lab, monkeypatch):
    monkeypatch.setenv("HARNESS_INDEXES_GB", "0")
    lab.harness(*WORDS)
    assert kept(lab) == []
    monkeypatch.setenv("HARNESS_INDEXES_GB", "much")
    assert "expected a number of gigabytes" in lab.harness(*WORDS, "--seed", "1", status=1)
