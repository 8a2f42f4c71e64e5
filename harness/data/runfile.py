"""A run as a Parquet file: columns `query`, `document` (dictionaries of strings) and `score` (float32).

Rows stand in the order of the ranking, best first, those of a query together. Any data frame library reads it.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float32, Int32, Int64

from harness.contracts import Corpus
from harness.errors import DataError
from harness.records import Run

NAMES = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema([("query", NAMES), ("document", NAMES), ("score", pa.float32())])
OPTIONS: dict[str, Any] = {
    "compression": "zstd",
    "use_dictionary": ["query", "document"],
    "dictionary_pagesize_limit": 1 << 28,  # above this, ids would be written in full; those of millions fit
    "column_encoding": {"score": "BYTE_STREAM_SPLIT"},  # floats compress better when bytes of one rank stand together
}


def write_run_file(run: Run, ids: Sequence[str], path: Path) -> None:
    """Write a run; the file appears whole or not at all. The same run gives the same bytes.

    Args:
        run: the rankings; a query without documents leaves no row.
        ids: document ids by row of the corpus.
        path: the file; its folder must be there.
    """
    found = run.rows >= 0
    queries = np.nonzero(found)[0].astype(np.int32)
    used, documents = np.unique(run.rows[found], return_inverse=True)
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(queries), pa.array(run.query_ids, pa.string())),
        pa.DictionaryArray.from_arrays(
            pa.array(documents.astype(np.int32)), pa.array([ids[int(row)] for row in used], pa.string())
        ),
        pa.array(run.scores[found]),
    ]
    _write(pa.table(columns, schema=SCHEMA), path)


def _write(table: pa.Table, path: Path) -> None:
    work = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        pq.write_table(table, work, **OPTIONS)
        os.replace(work, path)
    finally:
        work.unlink(missing_ok=True)


def read_run_file(path: Path, query_ids: Sequence[str], corpus: Corpus) -> Run:
    """The run of these queries; one without a row in the file has an empty ranking.

    Args:
        path: a file written by `write_run_file`.
        query_ids: the queries of the split, in their order.
        corpus: the documents.

    Raises:
        DataError: no such file; a query or document that the task doesn't have; rows that are no ranking.
    """
    queries, documents, scores = _columns(path)
    place_of = {query: place for place, query in enumerate(query_ids)}
    places = np.array([_known(path, "query", query, place_of) for query in queries[1]], np.int64)[queries[0]]
    rows_of = np.array([_row(path, corpus, document) for document in documents[1]], np.int32)
    return _as_run(path, tuple(query_ids), places, rows_of[documents[0]], scores)


def open_run_file(path: Path) -> tuple[Run, list[str]]:
    """The run on its own, without its task: `rows` are positions in the list of document ids that comes with it.

    Raises:
        DataError: no such file; rows that are no ranking.
    """
    queries, documents, scores = _columns(path)
    run = _as_run(path, tuple(queries[1]), queries[0].astype(np.int64), documents[0], scores)
    return run, documents[1]


def iter_rows(path: Path) -> Iterator[tuple[str, str, float]]:
    """Query, document and score of each row, in order.

    Raises:
        DataError: no such file.
    """
    queries, documents, scores = _columns(path)
    for query, document, score in zip(queries[0].tolist(), documents[0].tolist(), scores.tolist(), strict=True):
        yield queries[1][query], documents[1][document], score


Named = tuple[Int32[np.ndarray, " rows"], list[str]]
"""A column of names: a position in the list for each row, and the list."""


def _columns(path: Path) -> tuple[Named, Named, Float32[np.ndarray, " rows"]]:
    try:
        with pq.ParquetFile(path) as file:
            table = file.read(SCHEMA.names)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path.name}: expected a stored run, got {' '.join(str(error).split())[:200]}") from error
    if table.schema.types != SCHEMA.types:
        raise DataError(f"{path.name}: expected columns query, document, score of a stored run, got {table.schema}")
    table = table.unify_dictionaries().combine_chunks()
    return _named(table.column("query")), _named(table.column("document")), table.column("score").to_numpy()


def _named(column: pa.ChunkedArray) -> Named:
    if column.num_chunks == 0:
        return np.zeros(0, np.int32), []
    (chunk,) = column.chunks
    return chunk.indices.to_numpy(), chunk.dictionary.to_pylist()


def _known(path: Path, kind: str, name: str, place_of: dict[str, int]) -> int:
    try:
        return place_of[name]
    except KeyError:
        raise _foreign(path, kind, name) from None


def _row(path: Path, corpus: Corpus, document: str) -> int:
    try:
        return corpus.row_of(document)
    except KeyError:
        raise _foreign(path, "document", document) from None


def _foreign(path: Path, kind: str, name: str) -> DataError:
    return DataError(f"{path.name}: expected {kind} ids of the task, got {name!r}; the run is another task's")


def _as_run(
    path: Path,
    query_ids: tuple[str, ...],
    places: Int64[np.ndarray, " rows"],
    rows: Int32[np.ndarray, " rows"],
    scores: Float32[np.ndarray, " rows"],
) -> Run:
    starts = np.flatnonzero(np.diff(places, prepend=-1))
    if len(np.unique(places[starts])) != len(starts):
        raise DataError(f"{path.name}: expected the rows of a query together; write the run again")
    ranks = np.arange(len(places)) - np.repeat(starts, np.diff(starts, append=len(places)))
    rising = (ranks[1:] > 0) & (scores[1:] > scores[:-1])
    if rising.any() or not np.isfinite(scores).all():
        raise DataError(f"{path.name}: expected finite scores, descending for each query; write the run again")
    shape = (len(query_ids), int(ranks.max(initial=-1)) + 1)
    run = Run(query_ids=query_ids, rows=np.full(shape, -1, np.int32), scores=np.full(shape, -np.inf, np.float32))
    run.rows[places, ranks], run.scores[places, ranks] = rows, scores
    return run
