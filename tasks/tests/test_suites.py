"""The suites that come with the tasks."""

from pathlib import Path

import harness_tasks
import pytest
from harness_tasks.beir_sets import FORUMS, SETS

from harness.plugins import registry
from harness.suites import load_suite, suite_files
from harness.tasks import open_task


def test_every_suite_is_named_after_its_file_and_opens():
    names = {path.stem for path in (Path(harness_tasks.__file__).parent / "suites").glob("*.toml")}
    assert names == {"beir", "beir-small", "mteb-retrieval-eng"} <= set(suite_files(registry()))
    for name in names:
        assert load_suite(registry(), name).name == name


def test_beir_is_the_18_data_sets_with_one_mean_over_the_forums():
    suite = load_suite(registry(), "beir")
    forums = {f"beir:cqadupstack/{forum}" for forum in FORUMS}
    assert set(suite.tasks) == {f"beir:{name}" for name in SETS if name not in ("msmarco", "cqadupstack")} | forums
    assert set(suite.groups["cqadupstack"]) == forums
    for task in suite.tasks:
        assert open_task(registry(), task).facts.name == task  # facts need no download


def test_published_averages_are_the_means_of_their_published_parts():
    """A figure copied wrongly would not fit."""
    published = load_suite(registry(), "beir").published
    averages = {row.method: row.value for row in published if row.average == "18 data sets"}
    parts = {
        method: {row.task: row.value for row in published if row.method == method and row.task} for method in averages
    }
    assert len(averages) == 5
    for method, values in parts.items():
        assert len(values) == 18
        assert sum(values.values()) / 18 == pytest.approx(averages[method], abs=5.1e-5)
    for row in load_suite(registry(), "beir-small").published:
        assert row.value == parts[row.method][row.task]


def test_the_mteb_suite_is_that_of_the_benchmark():
    mteb = pytest.importorskip("mteb")
    tasks = mteb.get_benchmark("MTEB(eng, v2)").tasks
    expected = {f"mteb:{task.metadata.name}" for task in tasks if task.metadata.type == "Retrieval"}
    assert set(load_suite(registry(), "mteb-retrieval-eng").tasks) == expected
