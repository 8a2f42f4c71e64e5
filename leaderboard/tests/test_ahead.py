import threading

import pytest
from harness_leaderboard.ahead import ahead


def test_results_come_in_order_from_other_threads():
    def work(number: int) -> tuple[int, bool]:
        return number * number, threading.current_thread() is threading.main_thread()

    assert list(ahead(work, range(20))) == [(number * number, False) for number in range(20)]


def test_no_more_is_taken_than_the_threads_need():
    taken: list[int] = []

    def items():
        for number in range(20):
            taken.append(number)
            yield number

    found = ahead(lambda number: number, items(), threads=2)
    assert next(found) == 0
    assert len(taken) == 3
    found.close()
    assert len(taken) == 3


@pytest.mark.parametrize("where", ["work", "items"])
def test_what_fails_fails_here(where: str):
    def work(number: int) -> float:
        return 1 / number if where == "work" else 1.0

    def items():
        yield 1
        if where == "items":
            raise ZeroDivisionError
        yield 0

    with pytest.raises(ZeroDivisionError):
        list(ahead(work, items()))
