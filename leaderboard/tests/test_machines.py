from dataclasses import replace
from datetime import date, timedelta
from types import ModuleType

from harness_leaderboard.board import assemble
from harness_leaderboard.environments import content as environments
from harness_leaderboard.machines import content as machines
from harness_leaderboard.pages import build

DAY = date(2026, 3, 2)


def test_a_device_is_told_with_its_rates_its_machine_and_what_ran_on_it(factory: ModuleType):
    one = factory.evaluation(
        environment={"processor": "Made-up CPU", "cores": 2, "memory_gib": 23.5, "cuda": {"driver": "5"}}
    )
    lost = replace(
        factory.failed(factory.evaluation(of=factory.method("dense"))), finished=one.finished + timedelta(days=2)
    )
    (machine,) = machines(assemble([one, lost], DAY, "Test"))["machines"]
    assert (machine.done, machine.failed, machine.methods) == (1, 1, 2)
    assert machine.days == (date(2026, 3, 1), date(2026, 3, 3))
    assert machine.facts["memory_gib"] == ["23.5 GiB"]
    assert machine.facts["driver"] == ["5"]
    assert machine.facts["cores"] == ["2"]
    assert machine.facts["processor"] == ["Made-up CPU", "cores=2 name=Made-up CPU"]  # both are stated


def test_the_devices_page_shows_ranges_of_rates(factory: ModuleType):
    rates = [{"matmul_gflops": rate, "copy_gb_per_s": 5.0} for rate in (40.0, 48.0)]
    found = [factory.evaluation(of=factory.method(str(rate)), calibration=rate) for rate in rates]
    page = dict(build(found, DAY, "Test"))["devices.html"].decode()
    assert '40.0<span class="to"> – </span>48.0' in page


def test_environments_are_told_apart_by_versions_and_only_by_them(factory: ModuleType):
    def ran(number: int, torch: str, commit: str):
        environment = {
            "python": "CPython 3.11",
            "packages": {"numpy": "2", "torch": torch},
            "git": {"commit": commit, "edited": number == 0},
        }
        return factory.evaluation(of=factory.method(f"m{number}"), environment=environment)

    evaluations = [ran(0, "2.1", "aaaaaaaaaaaaaaaa"), ran(1, "2.1", "bbbb"), ran(2, "2.2", "bbbb")]
    found = environments(assemble(evaluations, DAY, "Test"))
    first, second = found["environments"]
    assert (first.evaluations, [method.name for method, _ in first.methods]) == (2, ["m0", "m1"])
    assert first.commits == ["aaaaaaaaaaaa edited", "bbbb"]
    assert second.versions["torch"] == "2.2"
    assert found["differing"] == ["torch"]
    assert found["shared"] == {"numpy": "2", "retrieval-harness": "0.1.0"}


def test_another_version_of_the_harness_is_another_environment(factory: ModuleType):
    evaluations = [factory.evaluation(of=factory.method(text), harness_version=text) for text in ("0.1.0", "0.2.0")]
    assert environments(assemble(evaluations, DAY, "Test"))["differing"] == ["retrieval-harness"]


def test_an_environment_that_says_nothing_is_shown(factory: ModuleType):
    for environment in ({}, {"packages": None, "git": "x", "python": None}):
        site = dict(build([factory.evaluation(environment=environment)], DAY, "Test"))
        assert b"Environment 1" in site["environments.html"]
        assert b"cpu" in site["devices.html"]
