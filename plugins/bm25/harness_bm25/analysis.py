"""Texts → terms: split, drop stop words, stem.

Thousands of texts at once, as one array of bytes: what is done word by word in Python takes ten times as long. Only the
distinct words become Python's.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import Stemmer
from bm25s import stopwords
from jaxtyping import Int32, Int64, UInt8, UInt32

from harness_bm25 import Config

_UNICODE = 0x110000
_ASCII = bytes(range(128))
_EACH_ASCII = np.arange(128, dtype=np.uint32)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LETTERS = re.compile(r"[^\W\x00-\x7f]{3,}")


class Tokeniser(NamedTuple):
    """A word is a run of characters of one class."""

    prepare: Callable[[str], str]
    """Lower case, and blanks where words are to end inside a run."""
    classes: tuple[str, ...]
    """Regular expressions of one character, which exclude each other."""


def _bigrams(text: str) -> str:
    """Every two neighbours of each run of letters outside ASCII."""
    return _LETTERS.sub(lambda run: " ".join(map("".join, pairwise(run[0]))), text.lower())


def _humps(text: str) -> str:
    return _HUMP.sub(" ", text).lower()


TOKENISERS = {
    "word": Tokeniser(str.lower, (r"\w",)),
    "bigram": Tokeniser(_bigrams, ("[a-z0-9]", r"[^\W\x00-\x7f]")),
    "code": Tokeniser(_humps, (r"[^\W\d_]", r"\d")),
}


class Words(NamedTuple):
    """The words of some texts, in order."""

    distinct: list[str]
    """Each once, as they first occur."""
    codes: Int32[np.ndarray, " words"]
    """Which of these it is, word by word."""
    texts: Int32[np.ndarray, " words"]
    """In which of the texts it stands, word by word."""


class Analyser:
    """Turns texts into terms as a Config says."""

    def __init__(self, config: Config) -> None:
        self._tokeniser = TOKENISERS[config.tokeniser]
        self._stop_words = frozenset(_stop_words(config.stop_words))
        self._stem = Stemmer.Stemmer(config.stemmer, 0).stemWord if config.stemmer != "none" else str

    def words(self, texts: Sequence[str]) -> Words:
        """All words of all texts."""
        encoded = [self._tokeniser.prepare(text).encode("utf-8", "surrogatepass") for text in texts]
        data = b"\n".join([b"", *encoded, b""])  # a line's end is in no class, so no word leads out of its text
        kinds = _kinds(data, self._tokeniser.classes)
        edges = np.concatenate([[0], np.flatnonzero(kinds[1:] != kinds[:-1]) + 1, [len(data)]])
        inside = kinds[edges[:-1]] > 0
        found = _distinct(np.frombuffer(data, np.uint8)[kinds > 0], np.diff(edges)[inside])
        ends = np.cumsum([len(text) + 1 for text in encoded], dtype=np.int64) + 1
        number = np.diff(np.searchsorted(edges[:-1][inside], ends), prepend=0)
        texts_of = np.repeat(np.arange(len(texts), dtype=np.int32), number)
        return Words(found.dictionary.to_pylist(), found.indices.to_numpy(), texts_of)

    def term(self, word: str) -> str:
        """What a word is indexed as; empty if it isn't."""
        return "" if word in self._stop_words else self._stem(word)


def _stop_words(language: str) -> tuple[str, ...]:
    if language == "none":
        return ()
    return getattr(stopwords, "STOPWORDS_EN" if language == "english" else f"STOPWORDS_{language.upper()}")


def _distinct(letters: UInt8[np.ndarray, " bytes"], lengths: Int64[np.ndarray, " words"]) -> Any:
    """Words that are written one after the other, as an Arrow array of the distinct ones and of places in it."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(letters)]
    return pa.Array.from_buffers(pa.large_string(), len(lengths), buffers).dictionary_encode()


def _kinds(data: bytes, classes: tuple[str, ...]) -> UInt8[np.ndarray, " bytes"]:
    """To which class the character of each byte of a UTF-8 text belongs, from 1; 0: to none."""
    kinds = np.frombuffer(data.translate(_table(_EACH_ASCII, classes)[:256].tobytes()), np.uint8)
    if others := data.translate(None, _ASCII):
        utf32 = others.decode("utf-8", "surrogatepass").encode("utf-32-le", "surrogatepass")
        characters = np.frombuffer(utf32, np.uint32)
        sizes = 2 + (characters > 0x7FF) + (characters > 0xFFFF)
        kinds = kinds.copy()
        kinds[np.frombuffer(data, np.uint8) > 0x7F] = np.repeat(_table(characters, classes)[characters], sizes)
    return kinds


def _table(characters: UInt32[np.ndarray, " characters"], classes: tuple[str, ...]) -> UInt8[np.ndarray, " unicode"]:
    """The classes of these characters, by their code points."""
    table = np.zeros(_UNICODE, np.uint8)
    table[characters] = 1
    distinct = np.flatnonzero(table)
    table[distinct] = 0
    for number, members in enumerate(classes, 1):
        for run in re.finditer(f"{members}+", "".join(map(chr, distinct.tolist()))):
            table[distinct[slice(*run.span())]] = number
    return table
