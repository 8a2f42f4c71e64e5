"""Numbers as they are printed: fixed decimals in a column, so that digits stand below each other."""

from typing import Any

MISSING = "–"


def measure(value: float) -> str:
    """A measure: four decimals."""
    return f"{value:.4f}".replace("-", "−")


def spread(value: float, deviation: float | None) -> str:
    """A measure with its deviation over seeds, if it has one."""
    return measure(value) if deviation is None else f"{measure(value)} ± {measure(deviation)}"


def percent(value: float) -> str:
    """A share: per cent with one decimal."""
    text = f"{100 * value:.1f} %".replace("-", "−")
    return text.removeprefix("−") if set(text) <= set("−0. %") else text


def signed(value: float) -> str:
    """A difference of measures: four decimals and always a sign."""
    text = f"{value:+.4f}".replace("-", "−")
    return "0.0000" if set(text[1:]) <= {"0", "."} else text


def p_value(value: float) -> str:
    """A p-value: four decimals, or that it is smaller."""
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"


def amount(value: float, decimals: int = 2) -> str:
    """A quantity with thousands set apart."""
    return f"{value:,.{decimals}f}".replace("-", "−")


def count(value: int) -> str:
    """A whole number with thousands set apart."""
    return f"{value:,}"


def plain(value: Any) -> str:
    """A configuration's value as it would be typed."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(plain(item) for item in value)
    if isinstance(value, dict):
        return " ".join(f"{key}={plain(value[key])}" for key in sorted(value))
    return str(value)


_UNITS = {"_seconds": ("s", 1.0, 2), "_ms": ("ms", 1.0, 2), "_bytes": ("MB", 1e6, 2), "parameters": ("M", 1e6, 2)}
"""End of a cost's name → unit shown, how much of the stored unit it is, decimals."""

_NAMES = {
    "index_seconds": "indexing",
    "index_bytes": "index size",
    "train_seconds": "training",
    "train_steps": "training steps",
    "teacher_seconds": "teacher time",
    "teacher_answers_stored": "answers from store",
}
"""Names that without their unit would be the same, or say too little."""


def cost_head(name: str) -> tuple[str, str]:
    """A cost's name and unit as they stand in a table head: `index_bytes` → `index size`, `MB`."""
    for end, (unit, _, _) in _UNITS.items():
        if name.endswith(end):
            bare = name if end == "parameters" else name.removesuffix(end)
            return _NAMES.get(name, bare).replace("_", " "), unit
    return _NAMES.get(name, name).replace("_", " "), ""


def cost_scale(name: str) -> tuple[float, int]:
    """How much of the stored unit the unit of `cost_head` is, and the decimals to print."""
    for end, (_, size, decimals) in _UNITS.items():
        if name.endswith(end):
            return size, decimals
    return 1.0, 0


def cost(name: str, value: float) -> str:
    """A cost in the unit of `cost_head`."""
    size, decimals = cost_scale(name)
    if size == 1.0 and not decimals and not float(value).is_integer():
        decimals = 2
    return amount(value / size, decimals)
