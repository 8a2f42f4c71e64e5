"""A docstring → a query (its summary) and a document (the rest, without its own name where that tells on it)."""

import re

SIGNATURE = re.compile(r"^[\w.]+\(.*\)(\s*->.*)?$", re.S)
"""A first paragraph that repeats the call instead of summing up."""
WORDS_IN_QUERY = range(3, 41)
"""Fewer are no query; more are no summary."""
WORDS_IN_DOCUMENT = 8
"""Fewer are no document."""


def query_and_document(docstring: str, name: str) -> tuple[str, str] | None:
    """The summary and the rest of a docstring; None if either is missing or too short.

    Args:
        docstring: cleaned of its indentation.
        name: the qualified name of what it documents.
    """
    paragraphs = [part for part in re.split(r"\n\s*\n", docstring.strip()) if part.strip()]
    if paragraphs and SIGNATURE.match(paragraphs[0]):
        paragraphs = paragraphs[1:]
    if len(paragraphs) < 2 or paragraphs[0].startswith(">>>"):
        return None
    query = " ".join(paragraphs[0].split())
    document = without_name("\n\n".join(paragraphs[1:]), name)
    if len(query.split()) not in WORDS_IN_QUERY or len(document.split()) < WORDS_IN_DOCUMENT:
        return None
    return query, document


def without_name(text: str, name: str) -> str:
    """The text without this qualified name and its dotted endings.

    The last part alone is removed where it is written as code: called, or no plain lower-case word. A method named
    `stop` may say "stops" and "stop"; `set_continue` may not name itself.
    """
    parts = name.split(".")
    endings = [re.escape(".".join(parts[start:])) for start in range(len(parts) - 1)]
    last = re.escape(parts[-1])
    endings.append(rf"{last}(?=\()" if parts[-1].isalpha() and parts[-1].islower() else last)
    pattern = rf"(?<![\w.])(?:{'|'.join(endings)})(?!\w)"
    return re.sub(r"[ \t]{2,}(?=\S)", " ", re.sub(pattern, "", text)).strip()
