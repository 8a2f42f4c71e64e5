"""A task from documents, queries and judgements at hand: for tests, notebooks and plugins that make their own data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.contracts import Task, TaskFacts
from harness.data.corpus import ArrowCorpus
from harness.data.split import Split
from harness.data.task import SourceTask
from harness.errors import DataError
from harness.records import Document, Query


def memory_task(
    facts: TaskFacts,
    documents: Iterable[Document],
    queries: Iterable[Query],
    judged: Mapping[str, Mapping[str, Mapping[str, int]]],
    folder: Path,
) -> Task:
    """A task of what is given.

    Args:
        facts: what it says of itself.
        documents: the corpus.
        queries: the queries of all splits.
        judged: grade by document id by query id by split.
        folder: where the corpus is kept.

    Raises:
        DataError: other splits in `judged` than in `facts`; and, once content is asked for, duplicate or empty ids,
            judgements of what isn't there, a split without a relevant document.
    """
    if set(facts.splits) != set(judged):
        raise DataError(f"{facts.name}: expected judgements of {', '.join(facts.splits)}, got {', '.join(judged)}")
    return SourceTask(_MemorySource(facts, tuple(documents), tuple(queries), judged), folder)


@dataclass(frozen=True)
class _MemorySource:
    """A source that is all in memory, and so has nothing to gain from being kept."""

    facts: TaskFacts
    held: tuple[Document, ...]
    queries: tuple[Query, ...]
    judged: Mapping[str, Mapping[str, Mapping[str, int]]]
    identity: str = ""

    def documents(self) -> Iterable[Document]:
        return self.held

    def split(self, name: str, corpus: ArrowCorpus) -> Split:
        return Split(queries=self.queries, judged=self.judged[name])
