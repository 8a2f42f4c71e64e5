"""Texts → token ids for models that only look vectors up: each distinct word goes through the tokeniser once.

What a word is cut into depends on nothing around it in tokenisers of BERT's kind, and a corpus has few distinct words.
With models that compute nothing else, tokenising is nearly all that encoding costs.
"""

import json
from collections.abc import Sequence
from itertools import chain
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64

MOST = 1 << 25
"""Characters of words kept, 900,000 short words (200 MB); then it starts again."""
EACH = 32
"""Characters that a word counts for beside its own."""
NORMALIZERS = {None, "BertNormalizer", "Lowercase", "NFD", "StripAccents"}
PRE_TOKENIZERS = {"BertPreTokenizer", "Whitespace", "WhitespaceSplit"}
"""Parts of the tokenizers package that see nothing beyond a space."""


class Tokens(NamedTuple):
    """The tokens of some texts, one text after the other."""

    ids: Int64[np.ndarray, " tokens"]
    """Of all of them."""
    offsets: Int64[np.ndarray, " texts"]
    """Where each text's begin."""


class Words:
    """Words that a tokeniser has cut up before, and what into."""

    def __init__(self, tokenizer: Any) -> None:
        """Knows no word yet; `tokenizer` is of the tokenizers package and `local`."""
        self._tokenizer, self._lock = tokenizer, Lock()
        self._forget()

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """What `encode_batch` gives for the texts, without special tokens."""
        split = pc.call_function("split_pattern", [pa.array(texts, pa.large_string())], pc.SplitPatternOptions(" "))
        coded = split.values.dictionary_encode()
        with self._lock:
            if self._numbers.size > MOST:
                self._forget()
            numbers = np.array([self._numbers[word] for word in coded.dictionary.to_pylist()], np.int64)
            self._learn()
            words = numbers[coded.indices.to_numpy()]
            starts, lengths, ids = self._starts[words], np.diff(self._starts)[words], self._ids
        before = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(starts - before[:-1], lengths) + np.arange(before[-1])
        return Tokens(ids=ids[places], offsets=before[split.offsets.to_numpy()[:-1]])

    def _forget(self) -> None:
        self._numbers = _Numbers()
        self._starts, self._ids = np.zeros(1, np.int64), np.zeros(0, np.int64)

    def _learn(self) -> None:
        """Tokenise the words that have a number and nothing else yet."""
        lists = [each.ids for each in self._tokenizer.encode_batch_fast(self._numbers.new, add_special_tokens=False)]
        stops = self._starts[-1] + np.cumsum([len(each) for each in lists], dtype=np.int64)
        self._starts = np.concatenate([self._starts, stops])
        self._ids = np.concatenate([self._ids, np.fromiter(chain.from_iterable(lists), np.int64)])
        self._numbers.new = []


class _Numbers(dict[str, int]):
    """Words in the order in which they were first asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.size, self.new = 0, list[str]()

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        self.size += len(word) + EACH
        self.new.append(word)
        return number


def local(tokenizer: Any) -> bool:
    """Whether the tokens of a text are those of what stands between its spaces, one after the other.

    Args:
        tokenizer: of the tokenizers package.
    """
    parts = json.loads(tokenizer.to_str())
    normalizer, before = parts["normalizer"] or {}, parts["pre_tokenizer"] or {}
    steps = normalizer.get("normalizers", [normalizer])
    return (
        parts["truncation"] is None
        and parts["padding"] is None
        and parts["model"]["type"] == "WordPiece"
        and {step.get("type") for step in steps} <= NORMALIZERS
        and before.get("type") in PRE_TOKENIZERS
        and not any(added["lstrip"] or added["rstrip"] or " " in added["content"] for added in parts["added_tokens"])
    )


_known: WeakKeyDictionary[Any, Words | None] = WeakKeyDictionary()


def words_of(model: Any) -> Words | None:
    """What reads texts for a model of sentence-transformers that only looks vectors up, if its words are local."""
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    if not isinstance(model[0], StaticEmbedding):
        return None
    if model not in _known:
        _known[model] = Words(model[0].tokenizer) if local(model[0].tokenizer) else None
    return _known[model]
