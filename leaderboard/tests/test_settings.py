from types import ModuleType

import pytest
from harness_leaderboard.settings import device_settings

from harness.store.records import Evaluation


@pytest.fixture
def ran(factory: ModuleType):
    """An evaluation on a device with these rates; without rates, on one that was never calibrated."""

    def made(device: str, *rates: float, seed: int = 0) -> Evaluation:
        calibration = dict(zip(("matmul_gflops", "copy_gb_per_s"), rates, strict=False)) | {"seconds": 0.1 * seed}
        return factory.evaluation(device=device, calibration=calibration, seed=seed, suite=f"{device} {rates}")

    return made


def test_a_device_that_stayed_as_fast_is_one_setting(ran):
    evaluations = [ran("cpu", 100, 10), ran("cpu", 125, 10), ran("cpu", 110, 12)]
    (setting,) = device_settings(evaluations)
    assert setting.label == "cpu"
    assert setting.rates == {"matmul_gflops": (100, 125), "copy_gb_per_s": (10, 12)}
    assert setting.evaluations == {one.id for one in evaluations}


def test_either_rate_may_set_two_times_of_a_device_apart(ran):
    evaluations = [ran("cpu", 100, 10), ran("cpu", 126, 10), ran("cpu", 100, 20)]
    settings = device_settings(evaluations)
    assert [setting.label for setting in settings] == ["cpu (1)", "cpu (2)", "cpu (3)"]
    assert [len(setting.evaluations) for setting in settings] == [1, 1, 1]


def test_no_two_members_of_a_setting_are_too_far_apart(ran):
    evaluations = [ran("cpu", rate, 10) for rate in (100, 120, 140, 160)]  # each is near the next
    spans = [setting.rates["matmul_gflops"] for setting in device_settings(evaluations)]
    assert spans == [(100, 120), (140, 160)]


def test_devices_of_two_names_are_never_one(ran):
    assert [setting.device for setting in device_settings([ran("b", 100, 10), ran("a", 100, 10)])] == ["a", "b"]


def test_what_was_never_calibrated_is_apart_from_what_was(ran):
    unknown, known = device_settings([ran("cpu", 100, 10), ran("cpu"), ran("cpu", seed=1)])
    assert (unknown.rates, len(unknown.evaluations)) == ({}, 2)
    assert len(known.evaluations) == 1


def test_order_does_not_matter(ran):
    evaluations = [ran("cpu", rate, 10) for rate in (100, 120, 140, 160)]
    assert device_settings(evaluations) == device_settings(evaluations[::-1])
