from datetime import date
from types import ModuleType

import pytest
from harness_leaderboard.board import assemble
from harness_leaderboard.cards import claims, knobs, results_of
from harness_leaderboard.sections import Board

from harness.store.records import Evaluation


def board_of(*evaluations: Evaluation) -> Board:
    return assemble(evaluations, date(2026, 3, 2), "Test")


def test_a_claim_is_compared_only_on_the_task_it_names(factory: ModuleType):
    claim = {"dataset": "D", "measure": "nDCG@10", "value": 0.32, "source": "Table 1"}
    card = {"claims": [{**claim, "task": "nfcorpus"}, {**claim, "task": ""}, {**claim, "task": "scifact"}]}
    board = board_of(factory.evaluation(of=factory.method(**card), values=[0.35] * 40))
    named, unnamed, absent = claims(board.methods[0], results_of(board, board.methods[0]))
    assert named.deviation == pytest.approx(0.03)
    assert unnamed.deviation is None
    assert absent.deviation is None


def test_a_claim_of_a_measure_that_we_lack_is_not_compared(factory: ModuleType):
    claim = {"dataset": "D", "measure": "R@1000", "value": 0.9, "source": "Table 1", "task": "nfcorpus"}
    board = board_of(factory.evaluation(of=factory.method(claims=[claim])))
    (compared,) = claims(board.methods[0], results_of(board, board.methods[0]))
    assert compared.ours is None


def test_knobs_show_the_value_used_beside_the_papers(factory: ModuleType):
    described = [
        {"name": "k1", "default": 0.9, "paper": 1.2, "unit": "", "help": "Saturation."},
        {"name": "b", "default": 0.4, "paper": 0.75},
        {"name": "depth", "paper": None, "unit": "documents"},
    ]
    config = {"k1": 0.9, "b": 0.75, "depth": 100, "teacher": {"plugin": "embedder", "config": {"model": "m"}}}
    board = board_of(factory.evaluation(of=factory.method(knobs=described), config=config))
    found = {knob.name: knob for knob in knobs(board.methods[0])}
    assert (found["k1"].used, found["k1"].paper, found["k1"].default, found["k1"].departs) == (
        "0.9",
        "1.2",
        "0.9",
        True,
    )
    assert (found["b"].used, found["b"].departs) == ("0.75", False)
    assert (found["depth"].default, found["depth"].unit, found["depth"].departs) == ("", "documents", False)
    assert (found["teacher"].used, found["teacher.model"].used) == ("embedder", "m")
