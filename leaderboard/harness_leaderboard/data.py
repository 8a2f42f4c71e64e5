"""The board's numbers as files: evaluations.json, evaluations.csv and the per-query values of each evaluation."""

import json
from typing import Any

from harness_leaderboard.cells import csv_text
from harness_leaderboard.fields import FIELDS
from harness_leaderboard.public import publish
from harness_leaderboard.sections import Board


def files(board: Board) -> dict[str, bytes]:
    """All data files by their path on the site."""
    found = {"data/evaluations.json": _json(_document(board), indent=1), "data/evaluations.csv": _csv(board)}
    for id, path in board.per_query_files.items():
        evaluation = board.by_id[id]
        content = {
            "evaluation": id,
            "query_ids": list(evaluation.task.query_ids),
            "values": {name: list(evaluation.per_query[name]) for name in sorted(evaluation.per_query)},
        }
        found[f"data/{path}"] = _json(content)
    return found


def _document(board: Board) -> dict[str, Any]:
    return {
        "title": board.title,
        "date": board.day.isoformat(),
        "fields": {field.name: field.meaning for field in FIELDS},
        "evaluations": [
            {field.name: publish(field.value(board, evaluation)) for field in FIELDS}
            for evaluation in board.evaluations
        ],
    }


def _json(content: Any, indent: int | None = None) -> bytes:
    """ASCII, so that no reader can get its characters wrong; NaN is no JSON and is refused."""
    return (json.dumps(content, indent=indent, allow_nan=False) + "\n").encode("ascii")


def _csv(board: Board) -> bytes:
    columns = [field for field in FIELDS if not field.nested]
    measures = sorted({name for evaluation in board.evaluations for name in evaluation.measures})
    costs = sorted({name for evaluation in board.evaluations for name in evaluation.cost})
    rows = [[field.name for field in columns]]
    rows[0] += [*(f"measure:{name}" for name in measures), *(f"cost:{name}" for name in costs)]
    for evaluation in board.evaluations:
        row = [field.value(board, evaluation) for field in columns]
        row += [evaluation.measures.get(name) for name in measures]
        row += [evaluation.cost.get(name) for name in costs]
        rows.append(row)
    return csv_text(rows).encode("utf-8", "backslashreplace")
