"""TREC run and qrels files, the field's exchange format: read strictly, written so that they read back the same.

A run line is `query Q0 document rank score tag`, a qrels line `query iteration document grade`, columns separated by
white space. Ranks in a file are not read: as in trec_eval, scores and the tie rule alone give the order.
"""

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64

from harness.contracts import Corpus
from harness.data.lines import wrong
from harness.errors import DataError
from harness.records import Run
from harness.scoring.order import ordered

RUN_COLUMNS = ("query", "Q0", "document", "rank", "score", "tag")
QRELS_COLUMNS = ("query", "iteration", "document", "grade")
GRADE = re.compile(r"[+-]?[0-9]{1,9}")


def read_run(path: Path, query_ids: Sequence[str], corpus: Corpus, depth: int | None = None) -> Run:
    """A run file as a run of these queries; a query without a line has an empty ranking, which scores 0.

    Args:
        path: the file.
        query_ids: the queries of the split, in their order.
        corpus: the documents.
        depth: how many documents to keep of each ranking; None keeps all.

    Raises:
        DataError: naming the line: a wrong number of columns, a score that is no finite number, a query or document
            that the task does not have, a document that comes twice; or a file without lines.
    """
    place_of = {query: place for place, query in enumerate(query_ids)}
    queries, rows, scores = array("q"), array("q"), array("f")
    for number, (query, _, document, _, score, _) in _records(path, RUN_COLUMNS):
        try:
            queries.append(place_of[query])
            rows.append(corpus.row_of(document))
            scores.append(float(score))
        except KeyError:
            raise _unknown(path, number, query, document, query in place_of) from None
        except ValueError:
            raise wrong(path, number, "a score that is a number", repr(score), "write one, as 12.5 or 1e-3") from None
    if not queries:
        raise DataError(f"{path.name}: expected lines of {' '.join(RUN_COLUMNS)}, got an empty file; name a run file")
    columns = np.frombuffer(queries, np.int64), np.frombuffer(rows, np.int64), np.frombuffer(scores, np.float32)
    _check_scores(path, columns[2])
    _check_pairs(path, columns[0] * len(corpus) + columns[1])
    run = ordered(_as_run(tuple(query_ids), *columns), corpus.id_rank)
    return run if depth is None else run.top(depth)


def _records(path: Path, names: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and columns; split at ASCII white space only, since ids may hold other kinds."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            columns = line.split()
            if len(columns) != len(names):
                raise wrong(path, number, f"columns {' '.join(names)}", f"{len(columns)} columns", "correct the line")
            try:
                yield number, [column.decode() for column in columns]
            except UnicodeDecodeError:
                raise wrong(path, number, "UTF-8", "other bytes", "save the file as UTF-8") from None


def _unknown(path: Path, number: int, query: str, document: str, query_is_known: bool) -> DataError:
    kind, name = ("document of the corpus", document) if query_is_known else ("query of the split", query)
    return wrong(path, number, f"a {kind}", repr(name), "remove the line, or name the task and split it belongs to")


def _check_scores(path: Path, scores: Float32[np.ndarray, " lines"]) -> None:
    finite = np.isfinite(scores)
    if not finite.all():
        line = int(finite.argmin())
        raise wrong(path, line + 1, "a finite score", str(scores[line]), "correct the score or remove the line")


def _check_pairs(path: Path, pairs: Int64[np.ndarray, " lines"]) -> None:
    order = np.argsort(pairs, kind="stable")
    twice = np.flatnonzero(pairs[order[1:]] == pairs[order[:-1]])
    if len(twice):
        second = twice[order[twice + 1].argmin()]
        got = f"the query and document of line {order[second] + 1} again"
        raise wrong(path, int(order[second + 1]) + 1, "each document once a query", got, "keep one of the two lines")


def _as_run(
    query_ids: tuple[str, ...],
    queries: Int64[np.ndarray, " lines"],
    rows: Int64[np.ndarray, " lines"],
    scores: Float32[np.ndarray, " lines"],
) -> Run:
    sizes = np.bincount(queries, minlength=len(query_ids))
    order = np.argsort(queries, kind="stable")
    queries = queries[order]
    places = np.arange(len(queries)) - (np.cumsum(sizes) - sizes)[queries]
    shape = (len(query_ids), int(sizes.max()))
    run = Run(query_ids=query_ids, rows=np.full(shape, -1, np.int32), scores=np.full(shape, -np.inf, np.float32))
    run.rows[queries, places], run.scores[queries, places] = rows[order], scores[order]
    return run


def write_run(run: Run, doc_ids: Sequence[str], path: Path, tag: str) -> None:
    """Write a run; scores have the nine digits from which a float32 reads back the same.

    Args:
        run: the rankings; empty ones leave no line.
        doc_ids: document ids by row.
        path: the file.
        tag: names the method.

    Raises:
        DataError: an id or the tag is empty or holds white space, which the format cannot hold.
    """
    _check_writable(tag)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for place, query in enumerate(run.query_ids):
            _check_writable(query)
            found = run.rows[place] >= 0
            documents, scores = [doc_ids[int(row)] for row in run.rows[place, found]], run.scores[place, found].tolist()
            for rank, (document, score) in enumerate(zip(documents, scores, strict=True), 1):
                _check_writable(document)
                file.write(f"{query} Q0 {document} {rank} {score:.9g} {tag}\n")


def _check_writable(name: str) -> None:
    if name.encode().split() != [name.encode()]:
        raise DataError(f"{name!r} cannot stand in a TREC file; expected a name without white space; rename it")


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """A qrels file as grade by document id by query id, in the order of the file.

    Raises:
        DataError: naming the line: a wrong number of columns, a grade that is no whole number, a query and document
            that come twice; or a file without lines.
    """
    judged: dict[str, dict[str, int]] = {}
    for number, (query, _, document, grade) in _records(path, QRELS_COLUMNS):
        if not GRADE.fullmatch(grade):
            raise wrong(path, number, "a grade that is a whole number", repr(grade), "write one, above 0 for relevant")
        if document in judged.setdefault(query, {}):
            raise wrong(path, number, "each pair once", f"{query!r} and {document!r} again", "remove one of the lines")
        judged[query][document] = int(grade)
    if not judged:
        raise DataError(f"{path.name}: expected lines of {' '.join(QRELS_COLUMNS)}, got an empty file")
    return judged


def write_qrels(judged: Mapping[str, Mapping[str, int]], path: Path) -> None:
    """Write judgements, given as grade by document id by query id.

    Raises:
        DataError: an id is empty or holds white space, which the format cannot hold.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for query, documents in judged.items():
            for document, grade in documents.items():
                _check_writable(query)
                _check_writable(document)
                file.write(f"{query} 0 {document} {grade}\n")
