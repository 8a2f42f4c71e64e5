"""A folder in BEIR layout as a source: corpus.jsonl, queries.jsonl, qrels/<split>.tsv and, perhaps, SOURCE.md."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from harness.contracts import TaskFacts
from harness.data.corpus import ArrowCorpus
from harness.data.lines import Unique, id_field, lines, objects, shown, text_field, wrong
from harness.data.provenance import provenance
from harness.data.query_fields import query_fields
from harness.data.split import Split
from harness.errors import TaskNotFound
from harness.records import Document, Query

HEADERS = ("query-id", "query_id", "query", "qid")
"""First word of the optional header line of a qrels file."""
GRADE = re.compile(r"[+-]?[0-9]{1,9}")
SPLITS = ("train", "dev", "validation", "test")
"""Usual splits, in the order in which they are listed; others follow."""


class BeirSource:
    """A `harness.data.task.Source` over a folder."""

    def __init__(self, folder: Path, name: str, facts: TaskFacts | None = None) -> None:
        """Take a folder; of its files, only SOURCE.md is read yet.

        Args:
            folder: the folder.
            name: the task's name.
            facts: what is known of it beyond what the folder says.

        Raises:
            TaskNotFound: if a file of the layout is missing.
        """
        self._folder = folder.resolve()
        self._qrels = {path.stem: path for path in (self._folder / "qrels").glob("[!.]*.tsv") if path.is_file()}
        _check_layout(self._folder, name, bool(self._qrels))
        splits = tuple(sorted(self._qrels, key=_split_order))
        self.facts = replace(facts or _own_facts(self._folder, name), splits=splits, split=main_split(splits))

    @property
    def identity(self) -> str:
        """Path, size and time of change of every file."""
        files = [self._corpus, self._queries, *sorted(self._qrels.values())]
        stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
        return f"beir {self._folder} {stats}"

    @property
    def _corpus(self) -> Path:
        return self._folder / "corpus.jsonl"

    @property
    def _queries(self) -> Path:
        return self._folder / "queries.jsonl"

    def documents(self) -> Iterator[Document]:
        """The documents in the order of corpus.jsonl; `title` may be missing.

        Raises:
            DataError: naming file and line.
        """
        path, seen = self._corpus, Unique(self._corpus)
        for line, record in objects(path):
            doc_id = id_field(path, line, record)
            seen.see(doc_id)
            title, text = text_field(path, line, record, "title", ""), text_field(path, line, record, "text")
            yield Document(id=doc_id, title=title, text=text)
        seen.check()

    def split(self, name: str, corpus: ArrowCorpus) -> Split:
        """Queries and judgements of a split.

        Raises:
            DataError: naming file and line.
        """
        queries = list(self._read_queries())
        return Split(queries=queries, judged=_judged(self._qrels[name], {query.id for query in queries}, corpus))

    def _read_queries(self) -> Iterable[Query]:
        path, seen = self._queries, Unique(self._queries)
        for line, record in objects(path):
            query_id = id_field(path, line, record)
            seen.see(query_id)
            text = text_field(path, line, record, "text")
            if not text.strip() or "\0" in text:
                raise wrong(path, line, "a query with text", shown(text), "write its text or remove the query")
            yield Query(id=query_id, text=text, **query_fields(path, line, record))
        seen.check()


def main_split(splits: tuple[str, ...]) -> str:
    """The split that is evaluated unless another is asked for: test, else dev, else validation, else the first."""
    return next((split for split in ("test", "dev", "validation") if split in splits), splits[0])


def _split_order(split: str) -> tuple[int, str]:
    return (SPLITS.index(split) if split in SPLITS else len(SPLITS), split)


def _check_layout(folder: Path, name: str, has_qrels: bool) -> None:
    there = {file: (folder / file).is_file() for file in ("corpus.jsonl", "queries.jsonl")}
    missing = [file for file, here in (there | {"qrels/<split>.tsv": has_qrels}).items() if not here]
    if missing:
        got = "a folder" if folder.is_dir() else "no folder"
        raise TaskNotFound(
            f"{name}: expected a folder in BEIR layout (corpus.jsonl, queries.jsonl, qrels/<split>.tsv), got {got} "
            f"without {' and '.join(missing)}; add what is missing or name another folder"
        )


def _own_facts(folder: Path, name: str) -> TaskFacts:
    said = provenance(folder)
    return TaskFacts(
        name=name,
        summary=said.title or f"Ad hoc retrieval on the documents of the folder {folder.name}.",
        splits=(),
        languages=said.languages,
        licence=said.licence or "not stated",
        source=said.source,
        revision=said.revision,
        citation=said.citation,
        exclude_self=said.exclude_self,
    )


def _judged(path: Path, query_ids: set[str], corpus: ArrowCorpus) -> Mapping[str, Mapping[str, int]]:
    """Grades by document id by query id, in the order of the file."""
    judged: dict[str, dict[str, int]] = {}
    for line, text in lines(path):
        columns = text.split("\t")
        if line == 1 and columns[0].lower() in HEADERS:
            continue
        if len(columns) != 3:
            got = f"{len(columns)} column{'s' * (len(columns) != 1)}"
            raise wrong(path, line, "query-id, corpus-id, score", got, "separate three columns by tabs")
        query_id, doc_id, grade = columns[0], columns[1], _grade(path, line, columns[2])
        if query_id not in query_ids:
            raise wrong(path, line, "a query of queries.jsonl", repr(query_id), "add the query or remove the line")
        if doc_id not in corpus:
            raise wrong(path, line, "a document of corpus.jsonl", repr(doc_id), "add the document or remove the line")
        before = judged.setdefault(query_id, {}).setdefault(doc_id, grade)
        if before != grade:
            got = f"grade {grade} after {before} for {query_id!r} and {doc_id!r}"
            raise wrong(path, line, "one grade a query and document", got, "remove one of the two lines")
    return judged


def _grade(path: Path, line: int, text: str) -> int:
    if not GRADE.fullmatch(text.strip()):
        raise wrong(path, line, "a grade that is a whole number", repr(text), "write one, above 0 for relevant")
    return int(text)
