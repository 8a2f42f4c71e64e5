"""The board's numbers as files: lists of records as JSON, evaluations as CSV, and the values of every query."""

from collections.abc import Iterable, Iterator
from typing import Any

from harness.store.values import texts
from harness_leaderboard.catalogue import task_key
from harness_leaderboard.cells import csv_text
from harness_leaderboard.data_tables import (
    CARDS,
    DEVICES,
    ENVIRONMENTS,
    EVALUATIONS,
    METHODS,
    TASKS,
    TRAININGS,
)
from harness_leaderboard.fields import Table
from harness_leaderboard.json_files import File, compact, records, registered, registered_text
from harness_leaderboard.public import publish, visible
from harness_leaderboard.published import Published
from harness_leaderboard.sections import Board


def tables(published: Published) -> Iterator[File]:
    """The lists of records, and the evaluations as CSV."""
    board = published.board
    everything: tuple[tuple[Table, Iterable[Any]], ...] = (
        (EVALUATIONS, board.evaluations),
        (METHODS, board.methods),
        (TASKS, board.tasks),
        (CARDS, sorted(published.cards.by_digest.items())),
        (TRAININGS, sorted(published.trainings.by_digest.items())),
        (DEVICES, sorted(published.devices.by_digest.items())),
        (ENVIRONMENTS, sorted(published.environments.by_digest.items())),
    )
    for described, found in everything:
        yield table(published, described, found)
    yield "data/evaluations.csv", _csv(published)


def table(published: Published, described: Table, found: Iterable[Any]) -> File:
    """A list of records."""
    board = published.board
    head = {"title": board.title, "date": board.day.isoformat(), "schema": "schema.json"}
    lines = (compact(publish(described.record(published, one))) for one in found)
    return records(f"data/{described.name}.json", head, described.name, lines)


def per_query(board: Board, texts_too: bool) -> Iterator[File]:
    """A file for the queries of each task, and one for the values of each evaluation that is done.

    Args:
        board: all that is shown.
        texts_too: whether the queries' texts are published.
    """
    for task in board.tasks:
        told = [visible(text) for text in task.record.query_texts] if texts_too else []
        yield registered(board.queries_files[task.key], {"query_ids": list(task.record.query_ids), "texts": told})
    done = [board.by_id[id] for id in board.per_query_files]
    for id, values in texts(done):
        path = board.per_query_files[id]
        each = ",".join(f"{compact(name)}:{values[name]}" for name in sorted(values))
        queries = compact(board.queries_files[task_key(board.by_id[id])])
        yield registered_text(path, f'{{"evaluation":{compact(id)},"queries":{queries},"values":{{{each}}}}}')


def _csv(published: Published) -> bytes:
    board = published.board
    columns = [field for field in EVALUATIONS.fields if field.flat]
    measures = sorted({name for evaluation in board.evaluations for name in evaluation.measures})
    costs = sorted({name for evaluation in board.evaluations for name in evaluation.cost})
    rows: list[list[Any]] = [[field.name for field in columns]]
    rows[0] += [*(f"measure:{name}" for name in measures), *(f"cost:{name}" for name in costs)]
    for evaluation in board.evaluations:
        row = [field.value(published, evaluation) for field in columns]
        row += [evaluation.measures.get(name) for name in measures]
        row += [evaluation.cost.get(name) for name in costs]
        rows.append(row)
    return csv_text(rows).encode("utf-8", "backslashreplace")
