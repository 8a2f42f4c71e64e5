"""As many passages as asked for, out of real abstracts: a folder in BEIR layout with the vocabulary of real text."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

WORDS = 60
"""In a passage."""


def write(source: Path, folder: Path, passages: int) -> Path:
    """Windows of words over the abstracts of a collection, and its test queries, whose abstracts are the first windows.

    Args:
        source: the collection, in BEIR layout.
        folder: a new one, in the same layout.
        passages: how many; at least as many as the collection has documents, or those judged may be missing.
    """
    (folder / "qrels").mkdir(parents=True)
    documents = [json.loads(line) for line in (source / "corpus.jsonl").read_text().splitlines()]
    names: set[str] = set()
    with (folder / "corpus.jsonl").open("w") as file:
        for row in itertools.islice(windows(documents), passages):
            names.add(row["_id"])
            file.write(json.dumps(row) + "\n")
    header, *lines = (source / "qrels" / "test.tsv").read_text().splitlines()
    kept = [line for line in lines if line.split("\t")[1] in names]
    wanted = {line.split("\t")[0] for line in kept}
    queries = [
        line for line in (source / "queries.jsonl").read_text().splitlines() if json.loads(line)["_id"] in wanted
    ]
    (folder / "queries.jsonl").write_text("\n".join(queries) + "\n")
    (folder / "qrels" / "test.tsv").write_text("\n".join([header, *kept]) + "\n")
    return folder


def windows(documents: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """First the beginning of each document, under its own id, then further windows, shifted again and again."""
    for shift in itertools.count():
        for document in documents:
            words = f"{document['title']} {document['text']}".split()
            start = shift * 7 % max(1, len(words) - WORDS // 2)
            name = document["_id"] if not shift else f"{document['_id']}-{shift}"
            yield {"_id": name, "title": "", "text": " ".join([*words[start : start + WORDS], str(shift)])}
