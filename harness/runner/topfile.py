"""What an evaluation found at the top, as texts: a Parquet file that the board shows without the task's data.

It has one row a ranked document: `query`, `text` (of the query), `rank`, `document`, `title` (its start), `score`, and
`grade`, which is null where the document was not judged.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.contracts import Corpus
from harness.records import Document, Qrels, Query, Run

DEPTH = 10
"""Documents a query."""
QUERY_CHARACTERS, TITLE_CHARACTERS = 500, 120
"""Longer texts are cut, and end in an ellipsis."""

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("query", "text")),
        *(("rank", pa.int32()), ("document", pa.string()), ("title", pa.string())),
        *(("score", pa.float32()), ("grade", pa.int32())),
    ]
)


def write_top_file(run: Run, queries: Sequence[Query], corpus: Corpus, qrels: Qrels, path: Path) -> None:
    """Write the best `DEPTH` documents of each query; the same run gives the same bytes.

    Args:
        run: one ranking a query, in the order of `queries`.
        queries: of the split.
        corpus: the documents.
        qrels: judgements of these queries, in their order.
        path: the file; its folder must be there.
    """
    rows = [row for place, query in enumerate(queries) for row in _rows(run, place, query, corpus, qrels)]
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path, compression="zstd")


def _rows(run: Run, place: int, query: Query, corpus: Corpus, qrels: Qrels) -> list[dict[str, object]]:
    judged, grades = qrels.of(place)
    grade_of = dict(zip(judged.tolist(), grades.tolist(), strict=True))
    found: list[dict[str, object]] = []
    for rank, row in enumerate(run.rows[place, :DEPTH].tolist(), 1):
        if row >= 0:
            document = corpus[row]
            found.append(
                {
                    "query": query.id,
                    "text": _cut(query.text, QUERY_CHARACTERS),
                    "rank": rank,
                    "document": document.id,
                    "title": _cut(_title(document), TITLE_CHARACTERS),
                    "score": float(np.float32(run.scores[place, rank - 1])),
                    "grade": grade_of.get(row),
                }
            )
    return found


def _title(document: Document) -> str:
    return document.title or document.text


def _cut(text: str, characters: int) -> str:
    text = " ".join(text[: 4 * characters].split())
    return text if len(text) <= characters else f"{text[: characters - 1].rstrip()}…"
