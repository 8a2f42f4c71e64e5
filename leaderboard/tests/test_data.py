import csv
import io
import json
from collections.abc import Mapping
from datetime import date
from pathlib import PurePosixPath
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from harness_leaderboard.data_tables import TABLES
from harness_leaderboard.options import Options
from harness_leaderboard.pages import build

from harness.store.records import Evaluation


def files_of(*evaluations: Evaluation) -> dict[str, bytes]:
    return dict(build(evaluations, date(2026, 3, 2), "Test"))


def document(files: Mapping[str, bytes]) -> dict[str, Any]:
    return json.loads(files["data/evaluations.json"])


def rows(files: Mapping[str, bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files["data/evaluations.csv"].decode())))


def value_of(content: bytes) -> Any:
    """What a data file holds."""
    text = content.decode("ascii")
    if text.startswith("harnessData("):
        text = text.removeprefix("harnessData(").removesuffix(");\n").split(",", 1)[1]
    return json.loads(text)


def test_every_field_is_documented(small_site: dict[str, bytes]):
    about = small_site["about.html"].decode()
    assert all(f"<code>{field.name}</code>" in about for table in TABLES for field in table.fields)


def checked(site: Mapping[str, bytes]) -> set[str]:
    """The patterns of the schema that this site's data files are of; each file is valid."""
    schema = value_of(site["data/schema.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    used: set[str] = set()
    for path, content in site.items():
        name = path.removeprefix("data/")
        if path.startswith("data/") and path.endswith((".json", ".js")) and name != "schema.json":
            same = [found for found in schema["files"] if found.count("/") == name.count("/")]
            (pattern,) = [found for found in same if PurePosixPath(name).match(found)]
            reference = {"$ref": schema["files"][pattern], "$defs": schema["$defs"]}
            jsonschema.Draft202012Validator(reference).validate(value_of(content))
            used.add(pattern)
    return used


def test_every_data_file_is_as_the_schema_says(site: dict[str, bytes]):
    assert {"evaluations.json", "per_query/*.js", "queries/*.js", "tables/*.js"} <= checked(site)


def test_top_documents_are_as_the_schema_says(with_tops: list[Evaluation]):
    assert "top/*.js" in checked(files_of(*with_tops))


def test_no_text_is_published_where_that_is_not_wanted(with_tops: list[Evaluation]):
    site = dict(build(with_tops, date(2026, 3, 2), "Test", Options(texts=False)))
    assert [path for path in site if path.startswith("data/top/")] == []
    texts = {text.encode() for one in with_tops for text in one.task.query_texts if len(text) > 10}
    assert texts
    assert not [path for path, content in site.items() if any(text in content for text in texts)]


def test_the_schema_refuses_what_is_wrong(small_site: dict[str, bytes]):
    schema = value_of(small_site["data/schema.json"])
    content = document(small_site)
    check = jsonschema.Draft202012Validator({"$ref": schema["files"]["evaluations.json"], "$defs": schema["$defs"]})
    assert check.is_valid(content)
    for name, wrong in (("seed", "7"), ("state", "lost"), ("measures", {"AP": None}), ("unknown", 1)):
        changed = {**content, "evaluations": [{**content["evaluations"][0], name: wrong}]}
        assert not check.is_valid(changed)


def test_a_script_names_itself(site: dict[str, bytes]):
    scripts = [path for path in site if path.startswith("data/") and path.endswith(".js")]
    assert scripts
    for path in scripts:
        name = path.removeprefix("data/").removesuffix(".js")
        assert site[path].startswith(f'harnessData("{name}",'.encode())


def test_what_evaluations_share_stands_once_and_is_found(small_site: dict[str, bytes], factory: ModuleType):
    evaluations = document(small_site)["evaluations"]
    stored = {evaluation.id: evaluation for evaluation in factory.small()}

    def ids(name: str) -> dict[str, Any]:
        records = value_of(small_site[f"data/{name}.json"])[name]
        assert len({record["id"] for record in records}) == len(records)
        return {record["id"]: record for record in records}

    methods, tasks, cards = ids("methods"), ids("tasks"), ids("cards")
    devices, environments = ids("devices"), ids("environments")
    assert len(environments) == len(devices) == 1 < len(evaluations)
    for listed in evaluations:
        evaluation = stored[listed["id"]]
        assert methods[listed["row"]]["config"] == evaluation.config
        assert methods[listed["row"]]["config_digest"] == listed["config_digest"]
        assert tasks[listed["column"]]["fingerprint"] == evaluation.task.fingerprint
        assert cards[listed["card"]]["implementation"] == evaluation.method.implementation
        assert cards[listed["card"]]["card"] == evaluation.method.card
        assert devices[listed["calibration"]]["calibration"] == evaluation.calibration
        assert environments[listed["environment"]]["environment"] == evaluation.environment


def test_a_training_stands_once_without_its_curves(closed_site: dict[str, bytes]):
    trainings = value_of(closed_site["data/trainings.json"])["trainings"]
    trained = [one for one in document(closed_site)["evaluations"] if one["training"]]
    assert len(trainings) < len(trained)
    assert {one["training"] for one in trained} == {one["id"] for one in trainings}
    assert all("lesson" in one["training"] and "curves" not in one["training"] for one in trainings)


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
        content = value_of(small_site[f"data/{listed['per_query']}"])
        evaluation = stored[listed["id"]]
        queries = value_of(small_site[f"data/{content['queries']}.js"])
        assert queries["query_ids"] == list(evaluation.task.query_ids)
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
