"""What the model is asked about two passages."""

from harness.text.fitting import first_words
from harness.text.model import Message

OPTIONS = ("A", "B")
TASK = (
    "Two passages, A and B, were found for a search query.\n\nQuery: {query}\n\nPassage A: {a}\n\nPassage B: {b}\n\n"
    "Which passage is more relevant to the query? Answer with one letter, A or B.\nAnswer:"
)


def pair_prompt(query: str, a: str, b: str, words: int) -> tuple[Message, ...]:
    """The question which of two passages is more relevant, each cut to `words`, as is the query."""
    parts = {name: first_words(text, words) for name, text in (("query", query), ("a", a), ("b", b))}
    return (Message("user", TASK.format(**parts)),)
