"""The suites that come with the tasks."""

from pathlib import Path

import harness_tasks
import pytest
from harness_tasks.beir_sets import FORUMS, SETS

from harness.plugins import registry
from harness.runner import closed
from harness.runner.plan import Request, Target, check_method
from harness.suites import load_suite, suite_files
from harness.tasks import open_task


def test_every_suite_is_named_after_its_file_and_opens():
    names = {path.stem for path in (Path(harness_tasks.__file__).parent / "suites").glob("*.toml")}
    fixed = {"closed-small", "closed-tiny", "closed-tiny-checks"}
    assert names == {"beir", "beir-small", "mteb-retrieval-eng"} | fixed <= set(suite_files(registry()))
    for name in names:
        assert load_suite(registry(), name).name == name


@pytest.mark.parametrize(("name", "methods"), [("closed-tiny", 25), ("closed-small", 22), ("closed-tiny-checks", 82)])
def test_every_method_of_a_closed_suite_fits_into_it(
    data: Path, monkeypatch: pytest.MonkeyPatch, name: str, methods: int
):
    """Options that exist, teachers that give what is needed, no backbone from elsewhere."""
    monkeypatch.setenv("HARNESS_DATA", str(data))
    suite = load_suite(registry(), name)
    assert suite.training is not None
    opened = {task: open_task(registry(), task) for task in suite.tasks}
    targets = [Target(name=task, task=of, split="test") for task, of in opened.items()]
    request = Request(methods=(), targets=targets, training=opened, division="closed", suite=name)
    found = closed.methods(registry(), suite, request, (), {})
    assert len(found) == len(suite.methods) == methods
    taught = [method for method in found if check_method(registry(), method).needs]
    assert all(method.teacher for method in taught)
    permuted = [method for method in taught if method.teacher and method.teacher.name == "permuted"]
    every = {method.plugin for method in load_suite(registry(), "closed-tiny").methods}
    needing = {name for name in every for card in [registry().find(name, "retriever", "distiller")[0]] if card.needs}
    assert {method.use.name for method in permuted} == (needing if name.endswith("checks") else set())


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
