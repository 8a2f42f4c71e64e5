import pytest
from harness_leaderboard.pareto import Offer, dominators, front

OFFERS = {
    "cheap": Offer(0.3, 1.0),
    "beaten": Offer(0.3, 2.0),  # as good as cheap, for more
    "middle": Offer(0.4, 2.0),
    "twin": Offer(0.4, 2.0),
    "poor": Offer(0.2, 2.0),
    "best": Offer(0.5, 9.0),
    "dear": Offer(0.5, 10.0),
}


def test_the_front_holds_what_nothing_else_beats_the_cheapest_first():
    assert front(OFFERS) == ["cheap", "middle", "twin", "best"]


def test_the_front_is_that_of_the_definition():
    undominated = {
        name for name, offer in OFFERS.items() if not any(other.dominates(offer) for other in OFFERS.values())
    }
    assert set(front(OFFERS)) == undominated


@pytest.mark.parametrize(
    ("name", "by"), [("beaten", ["cheap", "middle", "twin"]), ("dear", ["best"]), ("middle", []), ("best", [])]
)
def test_who_dominates_whom(name: str, by: list[str]):
    assert dominators(name, OFFERS, front(OFFERS)) == by


def test_nothing_has_no_front():
    assert front({}) == []
