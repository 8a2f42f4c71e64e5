"""Which evaluations ran on what can be compared: the same device, as fast at one time as at the other."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.store.records import Evaluation

FACTOR = 1.25
"""Rates of one device at two times may differ by so much before their costs are no longer compared."""
Rates = tuple[float, ...]
"""Of one calibration, in the order of `RATES`."""
RATES = {"matmul_gflops": "GFLOP/s", "copy_gb_per_s": "GB/s"}
"""The rates of a calibration, with their units."""


@dataclass(frozen=True, kw_only=True)
class DeviceSetting:
    """A device at times at which it was about as fast."""

    device: str
    """Name of the device."""
    number: int
    """From 1, the slowest first, among the settings of this name."""
    alone: bool
    """Whether the device has no other setting."""
    rates: Mapping[str, tuple[float, float]]
    """Lowest and highest by rate; empty if it was never calibrated."""
    evaluations: frozenset[str]
    """Ids of the evaluations that ran in it."""

    @property
    def label(self) -> str:
        """The device's name, with a number where it was not always as fast."""
        return self.device if self.alone else f"{self.device} ({self.number})"


def device_settings(evaluations: Iterable[Evaluation]) -> list[DeviceSetting]:
    """All settings, by device and rate. An evaluation is in one."""
    by_device: dict[str, dict[Rates, list[Evaluation]]] = defaultdict(lambda: defaultdict(list))
    for evaluation in evaluations:
        by_device[evaluation.device][_rates(evaluation)].append(evaluation)
    found: list[DeviceSetting] = []
    for device in sorted(by_device):
        groups = _groups(by_device[device])
        found += [
            DeviceSetting(
                device=device,
                number=number,
                alone=len(groups) == 1,
                rates=_span(group),
                evaluations=frozenset(one.id for rates in group for one in by_device[device][rates]),
            )
            for number, group in enumerate(groups, 1)
        ]
    return found


def _rates(evaluation: Evaluation) -> Rates:
    """Its rates in order; 0 for one that is not known."""
    return tuple(max(0.0, float(evaluation.calibration.get(name, 0.0))) for name in RATES)


def _groups(calibrations: Iterable[Rates]) -> list[list[Rates]]:
    """From the slowest up, each to the first group none of whose members is too far from it."""
    groups: list[list[Rates]] = []
    for rates in sorted(calibrations):
        near = next((group for group in groups if _near([*group, rates])), None)
        if near is None:
            groups.append([rates])
        else:
            near.append(rates)
    return groups


def _near(calibrations: Sequence[Rates]) -> bool:
    """Whether each rate is about the same in all of them."""
    return all(max(rates) <= FACTOR * min(rates) for rates in zip(*calibrations, strict=True))


def _span(group: Sequence[Rates]) -> dict[str, tuple[float, float]]:
    """Lowest and highest of each rate that is known."""
    columns = dict(zip(RATES, zip(*group, strict=True), strict=True))
    return {name: (min(rates), max(rates)) for name, rates in columns.items() if min(rates) > 0}
