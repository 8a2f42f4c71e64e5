import csv
import io
import json
from collections.abc import Mapping
from datetime import date
from types import ModuleType
from typing import Any

import pytest
from harness_leaderboard.pages import build

from harness.store.records import Evaluation


def files_of(*evaluations: Evaluation) -> dict[str, bytes]:
    return build(evaluations, date(2026, 3, 2), "Test")


def document(files: Mapping[str, bytes]) -> dict[str, Any]:
    return json.loads(files["data/evaluations.json"])


def rows(files: Mapping[str, bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files["data/evaluations.csv"].decode())))


def test_every_field_is_documented_and_there(small_site: dict[str, bytes]):
    content = document(small_site)
    assert all(set(evaluation) == set(content["fields"]) for evaluation in content["evaluations"])
    about = small_site["about.html"].decode()
    assert all(f"<code>{name}</code>" in about for name in content["fields"])


def test_json_and_csv_hold_every_evaluation_with_equal_numbers(small_site: dict[str, bytes], factory: ModuleType):
    stored = {evaluation.id: evaluation for evaluation in factory.small()}
    listed = {evaluation["id"]: evaluation for evaluation in document(small_site)["evaluations"]}
    lines = {line["id"]: line for line in rows(small_site)}
    assert set(stored) == set(listed) == set(lines)
    for id, evaluation in stored.items():
        assert listed[id]["measures"] == dict(evaluation.measures)
        assert listed[id]["state"] == lines[id]["state"] == evaluation.state
        for name, value in evaluation.measures.items():
            assert float(lines[id][f"measure:{name}"]) == value
        for name, value in evaluation.cost.items():
            assert float(lines[id][f"cost:{name}"]) == value


def test_what_was_not_measured_is_empty_in_csv(small_site: dict[str, bytes]):
    (failed,) = [line for line in rows(small_site) if line["state"] == "failed"]
    assert failed["measure:nDCG@10"] == ""
    assert failed["shown"] == "false"
    assert failed["error"].startswith("RuntimeError")


def test_values_by_query_lie_where_the_field_says(small_site: dict[str, bytes], factory: ModuleType):
    stored = {evaluation.id: evaluation for evaluation in factory.small()}
    for listed in document(small_site)["evaluations"]:
        if listed["state"] == "failed":
            assert listed["per_query"] == ""
            continue
        content = json.loads(small_site[f"data/{listed['per_query']}"])
        evaluation = stored[listed["id"]]
        assert content["query_ids"] == list(evaluation.task.query_ids)
        assert content["values"] == {name: list(values) for name, values in evaluation.per_query.items()}


def test_replaced_evaluations_are_marked(small_site: dict[str, bytes], factory: ModuleType):
    hidden = [one for one in document(small_site)["evaluations"] if not one["shown"] and one["state"] == "done"]
    assert [one["implementation"] for one in hidden] == [factory.digest("old")]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1"])
def test_a_spreadsheet_takes_no_foreign_text_for_a_formula(factory: ModuleType, text: str):
    files = files_of(factory.evaluation(device=text, measures={"nDCG@10": -0.5}, per_query={}))
    (line,) = rows(files)
    assert line["device"] == f"'{text}"
    assert line["measure:nDCG@10"] == "-0.5"  # numbers stay numbers


def test_no_folder_of_the_machine_is_published(factory: ModuleType):
    place = "/home/someone/models/minilm-l6"
    evaluation = factory.evaluation(
        config={"model": place},
        checkpoints={place: "abcd"},
        command=f"harness run --plugin dense -o model={place}",
        environment={"git": {"folder": "/home/someone/src/harness"}},
    )
    lost = factory.failed(factory.evaluation(seed=1, config={"model": place}), f"OSError: {place} is damaged")
    files = files_of(evaluation, lost)
    assert not [path for path, content in files.items() if b"someone" in content]
    assert b"harness run --plugin dense -o model=\xe2\x80\xa6/minilm-l6" in files["data/evaluations.csv"]


def test_nan_is_refused_rather_than_published(factory: ModuleType):
    with pytest.raises(ValueError, match="JSON"):
        files_of(factory.evaluation(cost={"index_seconds": float("nan")}))
