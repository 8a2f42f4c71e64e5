"""Training data of several tasks as one: their documents in one corpus, their training queries over it."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.contracts import Corpus, Task
from harness.data.corpus import ArrowCorpus
from harness.data.kept import kept_corpus, kept_json
from harness.errors import DataError
from harness.home import home
from harness.records import Document, Example

TRAIN = "train"


@dataclass(frozen=True, kw_only=True)
class Training:
    """What a distiller learns from."""

    corpus: Corpus
    """The documents."""
    examples: Sequence[Example]
    """The training queries with their judged documents."""


def training(tasks: Sequence[Task]) -> Training:
    """The training data of these tasks; of several, ids are put behind the task's name.

    Raises:
        DataError: a task without training data, or two of one name.
    """
    for task in tasks:
        if not task.examples():
            raise DataError(f"{task.facts.name} has no training data; expected a task with a split {TRAIN!r}")
    if len(tasks) == 1:
        return Training(corpus=tasks[0].corpus(), examples=tasks[0].examples())
    names = [task.facts.name for task in tasks]
    if len(set(names)) != len(names):
        raise DataError(f"expected training tasks of different names, got {', '.join(names)}")
    return Training(corpus=_corpus(tasks), examples=_examples(tasks))


def training_fingerprint(tasks: Sequence[Task]) -> str:
    """sha256 over the training splits, in order: equal training data, equal fingerprint."""
    parts = [f"{task.facts.name} {task.fingerprint(TRAIN)}\n" for task in tasks]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _corpus(tasks: Sequence[Task]) -> ArrowCorpus:
    folder = home() / "data"
    key = hashlib.sha256("".join(f"{task.facts.name} {task.corpus().fingerprint}\n" for task in tasks).encode())

    def make() -> dict[str, str]:
        return {"fingerprint": kept_corpus(_documents(tasks), folder).fingerprint}

    pointer = kept_json(folder / "joined" / f"{key.hexdigest()[:32]}.json", make)
    built: Path = folder / pointer["fingerprint"]
    return ArrowCorpus(built) if built.is_dir() else kept_corpus(_documents(tasks), folder)


def _documents(tasks: Sequence[Task]) -> Iterator[Document]:
    for task in tasks:
        corpus = task.corpus()
        for row in range(len(corpus)):
            document = corpus[row]
            yield replace(document, id=f"{task.facts.name}/{document.id}")


def _examples(tasks: Sequence[Task]) -> tuple[Example, ...]:
    found: list[Example] = []
    start = 0
    for task in tasks:
        found += [_moved(example, task.facts.name, start) for example in task.examples()]
        start += len(task.corpus())
    return tuple(found)


def _moved(example: Example, name: str, start: int) -> Example:
    """The example with its query's id behind the task's name, and its documents at their rows in the joined corpus."""
    return Example(
        query=replace(example.query, id=f"{name}/{example.query.id}"),
        positives=tuple(row + start for row in example.positives),
        negatives=tuple(row + start for row in example.negatives),
    )
