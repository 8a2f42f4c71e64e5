"""What may not be stored: a number that is none, values that don't fit the queries, a file outside the artefacts."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, get_args

from harness.errors import StoreError
from harness.store.records import Artefact, DeviceRecord, Evaluation, Role

EXTERNAL_PREFIX = "x"
"""Begins the id of every external result and of no other: no hexadecimal digit, so that no two can be mistaken."""


def check_evaluation(evaluation: Evaluation) -> None:
    """Refuse an evaluation that would not be true or could not be read back.

    Raises:
        StoreError: naming the first thing that is wrong.
    """
    where = f"evaluation {evaluation.id}"
    _check_numbers(where, "measure", evaluation.measures)
    _check_numbers(where, "cost", evaluation.cost)
    _check_numbers(where, "calibration", evaluation.calibration)
    _check_per_query(where, evaluation)
    _check_state(where, evaluation)
    _check_external(where, evaluation)
    if evaluation.role not in get_args(Role):
        raise StoreError(f"{where}: role is {evaluation.role!r}; expected one of {', '.join(get_args(Role))}")
    for name in ("config", "checkpoints", "environment", "training"):
        _check_json(f"{where}: {name}", getattr(evaluation, name))
    _check_json(f"{where}: card", evaluation.method.card)
    for name in ("facts", "query_ids", "query_texts"):
        _check_json(f"{where}: task {name}", getattr(evaluation.task, name))
    for moment in (evaluation.started, evaluation.finished):
        if moment.tzinfo is None:
            raise StoreError(f"{where}: expected times with a time zone, got {moment.isoformat()}")
    for artefact in evaluation.artefacts:
        check_path(where, artefact)


def check_device(device: DeviceRecord) -> None:
    """Refuse a device whose calibration is no number.

    Raises:
        StoreError: naming it.
    """
    _check_numbers(f"device {device.name}", "calibration", device.calibration)


def check_path(where: str, artefact: Artefact) -> None:
    """Refuse an artefact outside the folder of all artefacts.

    Raises:
        StoreError: naming its path.
    """
    path = PurePosixPath(artefact.path)
    if path.is_absolute() or ".." in path.parts or len(path.parts) < 2:
        raise StoreError(
            f"{where}: artefact {artefact.name!r} lies at {artefact.path!r}; expected FOLDER/FILE below the artefacts"
        )


def storable(text: str) -> str:
    """A text without what a database refuses: NUL, halves of characters."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def _check_numbers(where: str, what: str, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        if not math.isfinite(value):
            raise StoreError(f"{where}: {what} {name} is {value}; expected a finite number")


def _check_per_query(where: str, evaluation: Evaluation) -> None:
    expected = len(evaluation.task.query_ids)
    if len(evaluation.task.query_texts) != expected:
        raise StoreError(f"{where}: {len(evaluation.task.query_texts)} query texts for {expected} queries")
    if set(evaluation.per_query) != set(evaluation.measures):
        odd = sorted(set(evaluation.per_query) ^ set(evaluation.measures))[0]
        raise StoreError(f"{where}: measure {odd} has a mean or values by query, expected both")
    for name, values in evaluation.per_query.items():
        if len(values) != expected:
            raise StoreError(f"{where}: measure {name} has {len(values)} values for {expected} queries")
        if (position := _first_odd(values)) is not None:
            query = evaluation.task.query_ids[position]
            raise StoreError(
                f"{where}: measure {name} of query {query!r} is {values[position]}; expected a finite number"
            )


def _first_odd(values: Iterable[float]) -> int | None:
    return next((position for position, value in enumerate(values) if not math.isfinite(value)), None)


def _check_state(where: str, evaluation: Evaluation) -> None:
    if evaluation.state == "done" and (evaluation.error or not evaluation.measures):
        raise StoreError(f"{where} is done: expected measures and no error, got error {evaluation.error!r}")
    if evaluation.state == "failed" and (evaluation.measures or evaluation.artefacts or not evaluation.error):
        raise StoreError(f"{where} has failed: expected an error and neither measures nor artefacts")


def _check_external(where: str, evaluation: Evaluation) -> None:
    external = evaluation.division == "external"
    if evaluation.id.startswith(EXTERNAL_PREFIX) != external:
        raise StoreError(
            f"{where} is of the division {evaluation.division!r}; expected `external` if its id begins with "
            f"{EXTERNAL_PREFIX!r}, and only then: what others say is never taken for what was evaluated"
        )
    if evaluation.state == "done" and not external and not evaluation.task.query_ids:
        raise StoreError(f"{where} has no query; expected the task's: only an external result may be means alone")


def _check_json(where: str, value: Any) -> None:
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8")
    except (TypeError, ValueError) as error:
        raise StoreError(f"{where} can't be stored as JSON: {error}") from None
