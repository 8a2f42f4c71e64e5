"""A board as data: what many evaluations have in common stands once, and is referred to by its digest."""

import hashlib
import json
from collections.abc import Callable, Hashable, Mapping
from pathlib import PurePosixPath
from typing import Any

from harness.store.records import Evaluation
from harness_leaderboard.catalogue import method_key, task_key
from harness_leaderboard.labels import Key
from harness_leaderboard.public import publish
from harness_leaderboard.sections import Board


class Shared:
    """Values that many evaluations have in common, each under the digest of what is published of it."""

    def __init__(self, key: Callable[[Evaluation], Hashable], value: Callable[[Evaluation], Mapping[str, Any]]) -> None:
        """Values are taken from evaluations once for each key."""
        self._key, self._value = key, value
        self._digests: dict[Hashable, str] = {}
        self.by_digest: dict[str, Any] = {}

    def digest(self, evaluation: Evaluation) -> str:
        """Under which the evaluation's value stands; empty if it has none."""
        key = self._key(evaluation)
        if (known := self._digests.get(key)) is None:
            shown = publish(self._value(evaluation))
            text = json.dumps(shown, sort_keys=True, allow_nan=False)
            known = hashlib.sha256(text.encode()).hexdigest()[:16] if shown else ""
            self._digests[key] = known
            if known:
                self.by_digest[known] = shown
        return known


class Published:
    """What the data files refer to. Records that evaluations share are one object, so that each is looked at once."""

    def __init__(self, board: Board) -> None:
        """Of this board, which must live as long."""
        self.board = board
        self.cards = Shared(lambda one: id(one.method), _card)
        self.trainings = Shared(lambda one: id(one.training), _training)
        self.environments = Shared(lambda one: id(one.environment), lambda one: one.environment)
        self.devices = Shared(lambda one: (one.device, id(one.calibration)), _device)
        self._methods: Mapping[Key, str] = {method.key: stem(method.page) for method in board.methods}
        self._tasks: Mapping[str, str] = {task.key: stem(task.page) for task in board.tasks}
        for evaluation in board.evaluations:
            for shared in (self.cards, self.trainings, self.environments, self.devices):
                shared.digest(evaluation)

    def method(self, evaluation: Evaluation) -> str:
        """What its method is called."""
        return self._methods[method_key(evaluation)]

    def task(self, evaluation: Evaluation) -> str:
        """What its task is called."""
        return self._tasks[task_key(evaluation)]


def stem(page: str) -> str:
    """What a method or task is called in data files: the name of its page."""
    return PurePosixPath(page).stem


def _card(evaluation: Evaluation) -> Mapping[str, Any]:
    own = evaluation.method
    names = ("name", "kind", "distribution", "version", "implementation", "card")
    return {name: getattr(own, name) for name in names}


def _training(evaluation: Evaluation) -> Mapping[str, Any]:
    return {name: part for name, part in evaluation.training.items() if name != "curves"}


def _device(evaluation: Evaluation) -> Mapping[str, Any]:
    return {"device": evaluation.device, "calibration": dict(evaluation.calibration)}
