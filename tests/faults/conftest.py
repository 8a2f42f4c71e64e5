"""What the fault tests share: a plan, what it comes to undisturbed, faults at random moments of it, and the comparison.

`HARNESS_FAULTS` says how many times each fault is injected (once unless it is set), `HARNESS_FAULTS_SEED` when (0);
`HARNESS_FAULTS_REPORT` names a file that gets a line of JSON a fault.
"""

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.store.inspection import problems
from tests.runner import conftest as runner

HERE = Path(__file__).parent
INJECTIONS = int(os.environ.get("HARNESS_FAULTS", "1"))
TRIES = 5
"""Times that a fault may come too late, since the plan is over, before the test gives up."""
PLAN = ("run", *("--plugin", "faulty", "--plugin", "faulty-over", "--plugin", "faulty-taught"))
PLAN += ("--task", "small", "--task", "other", "--seed", "1", "--seed", "2", "--seed", "3")
PLAN += ("-o", "faulty-over.base.weight=2")
EVALUATIONS = 24
"""Two tasks and three seeds of a retriever, a second stage, its first stage, and a student."""


@dataclass
class Lab(runner.Lab):
    """As for the runner's tests, with toys in which faults can be planted."""

    toys: Path = HERE / "toys"
    more: dict[str, str] = field(default_factory=dict)
    """Further environment variables."""

    @property
    def env(self) -> dict[str, str]:
        return super().env | {"FAULTY": str(self.folder / "faults.json")} | self.more

    def plant(self, *faults: tuple[str, str, int]) -> None:
        """Faults by kind, the place where they strike, and at which step there."""
        names = ("kind", "place", "left")
        planned = [dict(zip(names, fault, strict=True)) for fault in faults]
        (self.folder / "faults.json").write_text(json.dumps(planned))

    @property
    def left(self) -> int:
        """How many evaluations have left files."""
        return len(list(self.home.glob("artefacts/*/*")))

    @property
    def struck(self) -> bool:
        """Whether every planted fault was due."""
        return all(fault["left"] <= 0 for fault in json.loads((self.folder / "faults.json").read_text()))

    def errors(self, url: str | None = None) -> list[str]:
        """What those that failed say, but for those that only miss their first stage."""
        with self.opened(url) as store:
            said = [one.error for one in store.evaluations(state="failed")]
        return [error for error in said if "first stage" not in error]


@dataclass
class Bench:
    """Injects faults into plans and keeps count."""

    lab: Lab
    """One that nothing disturbed."""
    undisturbed: dict[str, Any]
    """What it has stored."""
    seconds: float
    """How long it took."""
    folder: Path
    """Where the others are."""
    plan: Sequence[str] = PLAN
    """The command."""
    count: int = 0

    def fresh(self) -> Lab:
        """One where nothing has been done."""
        self.count += 1
        lab = self.lab.fresh(self.folder / f"life-{self.count}")
        lab.plant()
        return lab

    def finish(self, lab: Lab) -> None:
        """Let the plan be done in it, by a copy of what was done undisturbed."""
        shutil.copytree(self.lab.home, lab.home)

    def moment(self, lab: Lab, process: "subprocess.Popen[str]", chance: random.Random) -> bool:
        """Wait until the command is somewhere in its plan; false if it is over by then.

        That is known by the files that evaluations have left, so that it doesn't depend on how busy the machine is.
        """
        left = lab.left
        wanted = left + chance.randint(0, (EVALUATIONS - left) // 2)
        if chance.random() < 0.2:
            time.sleep(chance.uniform(0.1, 1.0))  # before its workers are there, perhaps
        else:
            lab.wait_for(lambda: process.poll() is not None or (lab.workers(process) and lab.left >= wanted))
            time.sleep(chance.uniform(0, 0.2))
        return process.poll() is None

    def try_out(
        self, *faults: str, inject: Callable[[Lab, random.Random], bool], plan: Sequence[str] = PLAN, url: str = ""
    ) -> None:
        """Inject faults into plans of their own, let each plan be run again unless it is over, and compare.

        Args:
            faults: what they are called; several that strike one plan.
            inject: starts the plan in a fresh lab and does the harm; false where it came too late.
            plan: what is run afterwards.
            url: of the store, if it is not the lab's own.

        Raises:
            AssertionError: after an injection something is lost, wrong or left lying about, or none came in time.
        """
        total = {"injected": 0, "survived": 0, "lost": 0, "wrong": 0}
        tries, seed = 0, os.environ.get("HARNESS_FAULTS_SEED", "0")
        try:
            while total["injected"] < INJECTIONS:
                lab, tries = self.fresh(), tries + 1
                assert tries <= TRIES * INJECTIONS, f"{faults}: the faults came too late too often"
                if inject(lab, random.Random(f"{faults} {seed} {tries}")):
                    over = lab.stored(url or None) == self.undisturbed
                    out = "" if over else lab.harness(*plan)  # what is over must be in order as it is
                    self._compare(lab, url or None, total, out)
                shutil.rmtree(lab.folder)
        finally:
            for fault in faults:
                _report({"fault": fault, **total})

    def _compare(self, lab: Lab, url: str | None, total: dict[str, int], out: str) -> None:
        found = lab.stored(url)
        lost = [name for name in self.undisturbed if name not in found]
        wrong = [name for name, one in found.items() if self.undisturbed.get(name) != one]
        with lab.opened(url) as store:
            odd = lab.leftovers(url) + problems(store)
        total["injected"] += 1
        total["lost"] += len(lost)
        total["wrong"] += len(wrong)
        total["survived"] += not (lost or wrong or odd)
        assert (lost, wrong, odd) == ([], [], []), out


def _report(row: dict[str, Any]) -> None:
    if file := os.environ.get("HARNESS_FAULTS_REPORT"):
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(row) + "\n")


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("faults")
    lab = Lab(folder / "undisturbed")
    for name, documents in (("small", 40), ("other", 50)):
        collection = runner.write_collection(lab.folder / "data" / name, documents=documents)
        shutil.copy(collection / "qrels" / "test.tsv", collection / "qrels" / "train.tsv")
    lab.plant()
    start = time.monotonic()
    lab.harness(*PLAN)
    seconds, undisturbed = time.monotonic() - start, lab.stored()
    assert len(undisturbed) == EVALUATIONS
    assert {one[0][3] for one in undisturbed.values()} == {"done"}
    assert lab.leftovers() == []
    return Bench(lab, undisturbed, seconds, folder)


@pytest.fixture
def tally() -> Callable[[str, Callable[[int], bool]], None]:
    """A function: a fault without a plan, and what injects it by number and says whether the result is right."""

    def run(fault: str, inject: Callable[[int], bool]) -> None:
        survived = sum(inject(number) for number in range(INJECTIONS))
        _report(
            {"fault": fault, "injected": INJECTIONS, "survived": survived, "lost": 0, "wrong": INJECTIONS - survived}
        )
        assert survived == INJECTIONS

    return run


class Training:
    """A linear model over a few steps; stopped after some, its folder holds a checkpoint."""

    def __init__(self, stop_at: int | None = None) -> None:
        torch = pytest.importorskip("torch")
        torch.manual_seed(3)
        self.torch, self.model, self.taken, self.stop_at = torch, torch.nn.Linear(4, 2), 0, stop_at

    def run(self, folder: Path) -> list[Any]:
        from harness.nn.training.loop import Loop
        from harness.nn.training.stage import Stage

        facts = {"batch": self.batch, "steps": 6, "examples": 3}
        stages = [Stage(name=name, model=self.model, loss=self.loss, **facts) for name in ("first", "second")]
        Loop(folder=folder, seed=1, every=0.0).run(stages)
        return [parameter.tolist() for parameter in self.model.parameters()]

    def batch(self, number: int) -> Any:
        return self.torch.randn(3, 4, generator=self.torch.Generator().manual_seed(number))

    def loss(self, inputs: Any, step: int) -> Any:
        self.taken += 1
        if self.taken == self.stop_at:
            raise InterruptedError
        return (self.model(inputs) - 1).pow(2).mean()


@pytest.fixture
def training() -> type[Training]:
    return Training
