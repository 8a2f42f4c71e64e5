"""What the model is asked."""

import re
from collections.abc import Sequence

from harness.text.fitting import first_words
from harness.text.model import Message

SYSTEM = "You judge how well passages answer a search query, and sort them by that."
TASK = (
    "Here are {count} passages, each with its number in brackets.\n\n{passages}\n\nThe search query is: {query}\n\n"
    "Sort all {count} passages by how relevant they are to the query, the most relevant first. Write nothing but their "
    "numbers, like this: [2] > [1]. Do not explain.\nOrder:"
)


def permutation_prompt(query: str, passages: Sequence[str], words: int) -> tuple[Message, ...]:
    """The question for the order of these passages, each cut to `words`, as is the query."""
    listed = "\n".join(f"[{place}] {_cut(passage, words)}" for place, passage in enumerate(passages, 1))
    parts = {"count": str(len(passages)), "passages": listed, "query": _cut(query, words)}
    return Message("system", SYSTEM), Message("user", TASK.format(**parts))


def _cut(text: str, words: int) -> str:
    return first_words(re.sub(r"\[(\d+)\]", r"(\1)", text), words)
