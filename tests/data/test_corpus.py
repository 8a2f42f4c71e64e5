"""Documents by row, however they are asked for."""

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.corpus import build_corpus
from harness.records import Document


@pytest.fixture
def corpus(tmp_path):
    return build_corpus((Document(id=f"d{i}", title=f"t{i}" * (i % 2), text=f"x{i}") for i in range(9)), tmp_path / "c")


@pytest.mark.parametrize(
    "rows", [range(9), range(2, 5), range(3, 3), range(9, 9), range(0, 9, 2), [4, 1, 1], range(5, 2, -1)], ids=str
)
def test_contents_of_rows(corpus, rows):
    assert corpus.contents(rows) == [corpus.contents()[row] for row in rows]
    assert corpus.contents(rows) == [corpus[row].content for row in rows]


@pytest.mark.parametrize("rows", [range(7, 11), range(-2, 2), [9]], ids=str)
def test_rows_that_are_not_there(corpus, rows):
    with pytest.raises(IndexError):
        corpus.contents(rows)


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"))), min_size=1))
def test_a_fingerprint_is_that_of_lines_of_json(tmp_path_factory, fields):
    documents = [Document(id=str(row), title=title, text=text) for row, (title, text) in enumerate(fields)]
    lines = [json.dumps([each.id, each.title, each.text], ensure_ascii=False) + "\n" for each in documents]
    found = build_corpus(iter(documents), tmp_path_factory.mktemp("corpus") / "c").fingerprint
    assert found == sha256("".join(lines).encode()).hexdigest()
