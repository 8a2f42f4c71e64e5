"""The environments page: which package versions evaluations share, and which evaluations those are."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.store.records import Evaluation
from harness_leaderboard.catalogue import method_key
from harness_leaderboard.labels import Key
from harness_leaderboard.model import Method
from harness_leaderboard.numbers import plain
from harness_leaderboard.public import publish
from harness_leaderboard.sections import Board


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One set of versions."""

    number: int
    """From 1, the most evaluations first."""
    python: str
    """The interpreter."""
    versions: Mapping[str, str]
    """Package → version, plugins included."""
    commits: Sequence[str]
    """Commits of the harness that ran in it, `edited` where the checkout was not as committed."""
    evaluations: int
    """How many evaluations."""
    methods: Sequence[tuple[Method, int]]
    """Whose they are, and how many of each, by label."""


def content(board: Board) -> dict[str, Any]:
    """What the template is filled with."""
    groups: dict[str, list[Evaluation]] = defaultdict(list)
    for same in _by_object(board.evaluations):
        groups[_key(same[0])] += same
    ordered = sorted(groups, key=lambda key: (-len(groups[key]), key))
    methods = {method.key: method for method in board.methods}
    found = [_environment(number, groups[key], methods) for number, key in enumerate(ordered, 1)]
    names = sorted({name for one in found for name in one.versions}, key=str.lower)
    shared = [name for name in names if len({one.versions.get(name) for one in found}) == 1]
    return {
        "environments": found,
        "shared": {name: found[0].versions[name] for name in shared},
        "differing": [name for name in names if name not in shared],
    }


def _by_object(evaluations: Iterable[Evaluation]) -> Iterable[list[Evaluation]]:
    """Evaluations that share one record of their environment, which is then read once for all of them."""
    found: dict[tuple[int, str], list[Evaluation]] = defaultdict(list)
    for evaluation in evaluations:
        found[id(evaluation.environment), evaluation.harness_version].append(evaluation)
    return found.values()


def _key(evaluation: Evaluation) -> str:
    python, versions = _python(evaluation), _versions(evaluation)
    return json.dumps([python, versions], sort_keys=True)


def _python(evaluation: Evaluation) -> str:
    return plain(publish(evaluation.environment).get("python", ""))


def _versions(evaluation: Evaluation) -> dict[str, str]:
    found = {"retrieval-harness": evaluation.harness_version}
    for part in ("packages", "plugins"):
        stated = publish(evaluation.environment).get(part)
        if isinstance(stated, Mapping):
            found |= {name: plain(version) for name, version in stated.items()}
    return found


def _environment(number: int, evaluations: Sequence[Evaluation], methods: Mapping[Key, Method]) -> Environment:
    counts = Counter(method_key(evaluation) for evaluation in evaluations)
    ordered = sorted(counts, key=lambda key: (methods[key].label, key))
    return Environment(
        number=number,
        python=_python(evaluations[0]),
        versions=_versions(evaluations[0]),
        commits=sorted({commit for same in _by_object(evaluations) if (commit := _commit(same[0]))}),
        evaluations=len(evaluations),
        methods=[(methods[key], counts[key]) for key in ordered],
    )


def _commit(evaluation: Evaluation) -> str:
    git = evaluation.environment.get("git")
    commit = plain(git.get("commit", ""))[:12] if isinstance(git, Mapping) else ""
    return f"{commit} edited" if commit and isinstance(git, Mapping) and git.get("edited") is True else commit
