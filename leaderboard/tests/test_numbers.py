import pytest
from harness_leaderboard import numbers


@pytest.mark.parametrize(("value", "text"), [(0.32184, "0.3218"), (1.0, "1.0000"), (-0.5, "−0.5000")])
def test_measures_have_four_decimals(value: float, text: str):
    assert numbers.measure(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.01, "+0.0100"), (-0.01, "−0.0100"), (-1e-9, "0.0000")])
def test_differences_have_a_sign(value: float, text: str):
    assert numbers.signed(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.00001, "<0.0001"), (0.0499, "0.0499"), (1.0, "1.0000")])
def test_small_p_values_are_bounded(value: float, text: str):
    assert numbers.p_value(value) == text


@pytest.mark.parametrize(
    ("name", "value", "head", "text"),
    [
        ("index_bytes", 1_540_000, ("index size", "MB"), "1.54"),
        ("parameters", 22_700_000, ("parameters", "M"), "22.70"),
        ("query_p50_ms", 6.1, ("query p50", "ms"), "6.10"),
        ("index_seconds", 1234.5, ("indexing", "s"), "1,234.50"),
        ("latency_queries", 50, ("latency queries", ""), "50"),
    ],
)
def test_costs_are_shown_in_the_unit_of_their_head(name: str, value: float, head: tuple[str, str], text: str):
    assert numbers.cost_head(name) == head
    assert numbers.cost(name, value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "none"), (True, "true"), ([1, "a"], "1,a"), ({"b": 1, "a": None}, "a=none b=1"), ("", "")],
)
def test_configured_values_are_shown_as_typed(value: object, text: str):
    assert numbers.plain(value) == text
