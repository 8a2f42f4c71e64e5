"""Training MiniLM-L6 by margin MSE, beside sentence-transformers' own trainer with its own loss.

Both get the same triples in the same order, the same teacher margins, optimiser, schedule and threads, and start from
the same weights. What is timed is the training alone: no mining, no teacher, no loading.
"""

import copy
import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from datasets import Dataset
from datasets.utils.logging import disable_progress_bar
from harness_margin_mse.method import MarginMse
from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer.losses import MarginMSELoss
from torch import Tensor, nn

from benchmarks import real
from benchmarks.measure import FAST, Row, main, seconds
from harness.build import Builder
from harness.config import use
from harness.contracts import Context, Lesson
from harness.nn import modes
from harness.nn.course import Course
from harness.nn.lists import Batches, Lists
from harness.nn.students import Student
from harness.nn.training.optimiser import optimiser, scheduler
from harness.plugins import registry
from harness.records import Budget, Document, Query

COLLECTION = "mlquestions"
"""Web questions, and passages of 55 tokens on average; of a batch that is padded together a third is padding."""
STEPS, BATCH, LENGTH = 8, 32, 128

Precision = Literal["no", "bf16"]


class Overlap:
    """A teacher that costs nothing: the share of a query's words that the document has."""

    identity = "overlap"

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> np.ndarray:
        """From 0 to 1."""
        return np.array([_shared(query.text, document.content) for query, document in pairs], np.float32)


def _shared(query: str, text: str) -> float:
    words = set(query.lower().split())
    return len(words & set(text.lower().split())) / len(words)


class Material:
    """What both train on, and how."""

    def __init__(self, folder: Path) -> None:
        task, plugins = real.task(COLLECTION), registry()
        knobs = {"documents": 2, "batch": BATCH, "steps": STEPS, "max_length": LENGTH}
        options = {name: str(value) for name, value in knobs.items()}
        lesson = Lesson(
            student=real.checkpoint(),
            teacher=Overlap(),
            corpus=task.corpus(),
            examples=task.examples()[: STEPS * BATCH],
            budget=Budget(),
        )
        builder = Builder(registry=plugins, folder=folder / "plugins")
        self.course = Course(
            lesson=lesson,
            context=Context(folder=folder, build=builder.build),
            config=use(plugins, ("distiller",), "margin-mse", options).config,
        )

    @cached_property
    def lists(self) -> Lists:
        """Mined and scored once."""
        return self.course.taught()

    def student(self, dropout: bool) -> Student:
        """A fresh one, as its checkpoint says or without dropout."""
        made = self.course.student()
        for module in made.model.modules() if not dropout else ():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        return made

    def triples(self) -> Dataset:
        """The lists in the order in which the recipe takes them."""
        batches = Batches(len(self.lists), BATCH, self.course.context.seed)
        order = [place for number in range(STEPS) for place in batches.positions(number)]
        chosen, teacher = self.lists.candidates.select(order), self.lists.teacher
        assert teacher is not None
        texts = list(self.course.lesson.corpus.contents(chosen.rows.ravel().tolist()))
        columns = {"query": [query.text for query in chosen.queries], "positive": texts[::2], "negative": texts[1::2]}
        return Dataset.from_dict(columns | {"label": teacher[order, 0] - teacher[order, 1]})


class Ours:
    """The course of one stage that `margin-mse` makes."""

    def __init__(self, material: Material, precision: Precision, dropout: bool) -> None:
        self._lists, self._student = material.lists, material.student(dropout)
        self._start = copy.deepcopy(self._student.model.state_dict())
        config = dataclasses.replace(material.course.config, precision=precision)
        self._course = dataclasses.replace(material.course, config=config)

    def __call__(self) -> list[float]:
        """Train from the start; the loss of each step."""
        course = self._course
        shutil.rmtree(course.context.training, ignore_errors=True)
        course.context.training.mkdir()
        self._student.model.load_state_dict(self._start)
        loss = MarginMse(course.config, course.context).loss
        return course.train([course.stage("train", self._student, loss, self._lists)]).curves["train"]


class InOrder(DefaultBatchSampler):
    """The examples as they come."""

    def __init__(self, dataset: Dataset, **options: Any) -> None:
        super().__init__(range(len(dataset)), **options)


class Noted(MarginMSELoss):
    """The library's loss, each step's of which is kept."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.losses: list[Tensor] = []

    def forward(self, *inputs: Any, **named: Any) -> Tensor:
        """See the library."""
        found = super().forward(*inputs, **named)
        self.losses.append(found.detach())
        return found


class Trainer:
    """sentence-transformers' trainer."""

    def __init__(self, material: Material, precision: Precision, dropout: bool) -> None:
        self._model, self._triples = material.student(dropout).model, material.triples()
        self._model.model_card_data.generate_widget_examples = False  # no part of a training
        self._start = copy.deepcopy(self._model.state_dict())
        self._schedule, self._bf16 = material.course.schedule(), precision == "bf16"
        self._folder = material.course.context.folder / "trainer"

    def __call__(self) -> list[float]:
        """Train from the start; the loss of each step."""
        self._model.load_state_dict(self._start)
        optim, loss = optimiser(self._model, self._schedule), Noted(self._model)
        SentenceTransformerTrainer(
            model=self._model,
            args=self._arguments(),
            train_dataset=self._triples,
            loss=loss,
            optimizers=(optim, scheduler(optim, self._schedule, STEPS)),
        ).train()
        return [float(one) for one in loss.losses]

    def _arguments(self) -> SentenceTransformerTrainingArguments:
        return SentenceTransformerTrainingArguments(
            output_dir=str(self._folder),
            num_train_epochs=1,
            per_device_train_batch_size=BATCH,
            batch_sampler=InOrder,
            max_grad_norm=self._schedule.clip,
            bf16=self._bf16,
            use_cpu=True,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )


@dataclass(frozen=True)
class Pairing:
    """Which two are compared."""

    ours: Precision
    peer: Precision
    goal: float | None


PAIRINGS = (Pairing("no", "no", 1.2), Pairing("bf16", "no", FAST["training"]), Pairing("bf16", "bf16", None))
MODES: dict[Precision, str] = {"no": "fp32", "bf16": "bf16 autocast"}


def rows(runs: int) -> Iterator[Row]:
    disable_progress_bar()
    usable: dict[Precision, str] = {
        name: mode for name, mode in MODES.items() if name == "no" or modes.can(modes.BF16, "cpu")
    }
    with tempfile.TemporaryDirectory() as name:
        material = Material(Path(name))
        kinds: dict[tuple[str, Precision], Callable[[], list[float]]] = {
            (side, precision): kind(material, precision, True)
            for side, kind in (("ours", Ours), ("peer", Trainer))
            for precision in usable
        }
        curves = {key: work() for key, work in kinds.items()}
        found = in_rounds(kinds, runs)
        plain = {("ours", precision): Ours(material, precision, False)() for precision in usable}
        plain["peer", "no"] = Trainer(material, "no", False)()
    for pairing in (each for each in PAIRINGS if {each.ours, each.peer} <= usable.keys()):
        ours, peer = ("ours", pairing.ours), ("peer", pairing.peer)
        yield Row(
            work=f"train MiniLM-L6 by margin MSE, {STEPS} steps of {BATCH} triples up to {LENGTH} tokens, {COLLECTION}",
            peer_name=f"SentenceTransformerTrainer, {MODES[pairing.peer]}",
            runs=tuple(zip(found[ours], found[peer], strict=True)),
            goal=pairing.goal,
            mode=MODES[pairing.ours],
            found={
                "triples a second": STEPS * BATCH / float(np.median(found[ours])),
                "relative difference of the mean loss": abs(np.mean(curves[ours]) / np.mean(curves[peer]) - 1),
                "largest of a step's loss without dropout, from fp32": apart(plain[ours], plain["peer", "no"]),
            },
            note="Same triples in the same order; with dropout, both draw other random numbers.",
        )


def in_rounds(works: dict[Any, Callable[[], object]], runs: int) -> dict[Any, list[float]]:
    """Seconds of each, all of them in turn, in the other direction every other time."""
    found: dict[Any, list[float]] = {key: [] for key in works}
    for number in range(runs):
        for key in list(works)[:: -1 if number % 2 else 1]:
            found[key].append(seconds(works[key]))
    return found


def apart(one: Sequence[float], other: Sequence[float]) -> float:
    """The largest relative difference of two curves at a step."""
    return float(np.max(np.abs(np.array(one) / np.array(other) - 1)))


if __name__ == "__main__":
    main(rows)
