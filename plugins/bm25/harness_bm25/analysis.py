"""Text → terms: split, drop stop words, stem."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import Stemmer
from bm25s import stopwords

from harness_bm25 import Config

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _bigrams(text: str) -> Iterator[str]:
    """ASCII words whole; of each run of other letters every two neighbours, or the one letter it has."""
    for run in re.findall(r"[a-z0-9]+|[^\W\x00-\x7f]+", text.lower()):
        if run.isascii() or len(run) == 1:
            yield run
        else:
            yield from map("".join, pairwise(run))


def _code(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", _HUMP.sub(" ", text).lower())


TOKENISERS: Mapping[str, Callable[[str], list[str] | Iterator[str]]] = {
    "word": _words,
    "bigram": _bigrams,
    "code": _code,
}


class Analyser:
    """Turns texts into terms as a Config says."""

    def __init__(self, config: Config) -> None:
        self._split = TOKENISERS[config.tokeniser]
        self._terms = _Terms(config)

    def __call__(self, text: str) -> list[str]:
        """The terms of a text, in order; empty if it has none."""
        return [term for word in self._split(text) if (term := self._terms[word])]


class _Terms(dict[str, str]):
    """Term of each word seen so far, so that none is stemmed twice; a stop word's is empty."""

    def __init__(self, config: Config) -> None:
        super().__init__(dict.fromkeys(_stop_words(config.stop_words), ""))
        self._stem = Stemmer.Stemmer(config.stemmer).stemWord if config.stemmer != "none" else str

    def __missing__(self, word: str) -> str:
        term: str = self._stem(word)
        self[word] = term
        return term


def _stop_words(language: str) -> tuple[str, ...]:
    if language == "none":
        return ()
    return getattr(stopwords, "STOPWORDS_EN" if language == "english" else f"STOPWORDS_{language.upper()}")
