import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

pytest.importorskip("sentence_transformers")

from tokenizers import Tokenizer

from harness.nn import words
from harness.nn.reading import features
from harness.nn.words import Words, local, words_of


@pytest.fixture(scope="module")
def tokenizer(tiny_bert: Path) -> Tokenizer:
    return _plain(tiny_bert)


def _plain(folder: Path, **changes: Any) -> Tokenizer:
    """The folder's tokeniser without truncation and padding, some of its parts replaced."""
    parts = json.loads((folder / "tokenizer.json").read_text()) | {"truncation": None, "padding": None}
    return Tokenizer.from_str(json.dumps(parts | changes))


def expected(tokenizer: Tokenizer, texts: list[str]) -> tuple[list[int], list[int]]:
    """Ids one text after the other, and where each begins."""
    lists = [each.ids for each in tokenizer.encode_batch(texts, add_special_tokens=False)]
    return [one for ids in lists for one in ids], np.cumsum([0, *map(len, lists)])[:-1].tolist()


TEXTS = st.lists(
    st.text(st.one_of(st.sampled_from("ab ÉéΣσ,.[]-\n\t\u00a0\u0085\u0301\u001c中"), st.characters())), max_size=8
)


@given(TEXTS)
@example(["a[MASK]b [CLS] c", "", " ", "ab  ab", "e\u0301 \u0301e", "ab\u001cc", "x" * 101 + " b"])
def test_as_the_tokeniser_has_them(tokenizer: Tokenizer, texts: list[str]) -> None:
    reads = Words(tokenizer)
    for _ in range(2):  # a second time from memory
        found = reads(texts)
        assert (found.ids.tolist(), found.offsets.tolist()) == expected(tokenizer, texts)


def test_more_words_than_are_kept(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MOST", 2 * (words.EACH + 1))
    reads = Words(tokenizer)
    for texts in (["a b c", "c d"], ["e", "a b", "e c"], []):
        found = reads(texts)
        assert (found.ids.tolist(), found.offsets.tolist()) == expected(tokenizer, texts)


def test_each_word_once(tokenizer: Tokenizer) -> None:
    asked: list[str] = []

    class Counting:
        def encode_batch_fast(self, texts: list[str], **options: Any) -> Any:
            asked.extend(texts)
            return tokenizer.encode_batch_fast(texts, **options)

    reads = Words(Counting())
    reads(["ab cd ab", "cd"])
    reads(["cd ef"])
    assert asked == ["ab", "cd", "ef"]


ADDED = {"id": 1, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


@pytest.mark.parametrize(
    "changes",
    [
        {"truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}},
        {"pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}},
        {"pre_tokenizer": None},
        {"normalizer": {"type": "Replace", "pattern": {"String": "a b"}, "content": "c"}},
        {
            "normalizer": {
                "type": "Sequence",
                "normalizers": [{"type": "Lowercase"}, {"type": "Prepend", "prepend": "x"}],
            }
        },
        {"added_tokens": [ADDED | {"content": "a b"}]},
        {"added_tokens": [ADDED | {"content": "[UNK]", "lstrip": True}]},
    ],
)
def test_what_looks_beyond_a_space_is_not_local(tiny_bert: Path, changes: dict[str, Any]) -> None:
    assert local(_plain(tiny_bert))
    assert not local(_plain(tiny_bert, **changes))


def test_only_models_that_look_vectors_up(tiny_bert: Path, tiny_dense: Path, tokenizer: Tokenizer) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    assert words_of(SentenceTransformer(str(tiny_dense), device="cpu")) is None
    table = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=4)], prompts={"query": "ask: "})
    assert words_of(table) is words_of(table) is not None
    ours, plain = features(table, ["b a", "c"], "query"), table.preprocess(["b a", "c"], prompt="ask: ")
    assert {name: value.tolist() for name, value in ours.items()} == {name: plain[name].tolist() for name in ours}
    assert set(ours) == set(plain) - {"prompt_length"}
