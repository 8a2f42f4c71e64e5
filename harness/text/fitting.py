"""Texts cut so that a prompt stays within what a model reads."""

from collections.abc import Callable

from harness.text.model import LanguageModel, Prompt

LETTERS = 10
"""Characters for each word that a text may have, since not every script puts blanks between words."""


def first_words(text: str, words: int) -> str:
    """The first words of a text, one blank between two, and at most ten characters for each."""
    return " ".join(text.split()[:words])[: words * LETTERS]


def fitted(model: LanguageModel, prompt: Callable[[int], Prompt], words: int, new_tokens: int) -> Prompt:
    """The prompt with texts of so many words; halved, and again, until the model can read it.

    Args:
        model: who reads it.
        prompt: makes the prompt with texts of at most that many words.
        words: the most words.
        new_tokens: room that the answer needs.

    Returns:
        The first prompt that fits; the one with one word a text, if none does.
    """
    made = prompt(words)
    while words > 1 and not model.fits(made, new_tokens):
        words //= 2
        made = prompt(words)
    return made
