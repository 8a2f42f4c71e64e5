"""A dense student, then an index of its documents' vectors, both against a teacher's inner products."""

from functools import partial

import numpy as np
import torch
from safetensors.torch import save_model
from torch import Tensor, nn

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course
from harness.nn.exact import exact
from harness.nn.lists import Lists
from harness.nn.mining import Candidates
from harness.nn.recipe import View
from harness.nn.retriever import EmbeddingRetriever
from harness.nn.students.dense import DenseStudent
from harness.nn.taught import teacher_vectors, within_budget
from harness.nn.training.stage import Stage
from harness_distill_vq import Config
from harness_distill_vq.index import CodeEncoder, CodeIndex
from harness_distill_vq.objective import objective
from harness_distill_vq.quantiser import Quantiser
from harness_distill_vq.start import begin
from harness_distill_vq.towers import DOCUMENTS, Towers

QUANTISER = "quantiser.safetensors"
"""Centroids, codewords and rotation, in the training's folder beside the student."""
Vectors = tuple[np.ndarray, np.ndarray]
"""Of the queries, one a list, and of the documents, one a row of the corpus."""


class DistillVq:
    """A `harness.contracts.Distiller`."""

    def __init__(self, config: Config, context: Context) -> None:
        """Nothing is loaded before there is a lesson."""
        self._config, self._context = config, context
        self._objective = objective(config)

    def distil(self, lesson: Lesson) -> Retriever:
        """Train the lesson's student, and an index in which its documents are a few bytes each.

        Raises:
            ConfigError: an index that fits neither the student nor the number of documents.
            SignalError: the teacher gives no vectors, and its signal is wanted.
        """
        config, course = self._config, Course(lesson=lesson, context=self._context, config=self._config)
        lists, taught = course.candidates, None
        if config.signal == "teacher":
            lesson.require("embed")
            lists = within_budget(lists, lesson.budget.teacher_calls, each=1 + config.documents)
            taught = teacher_vectors(lesson, lists)
        dense = DenseStudent(lesson.student, self._context, config.max_length)
        towers = Towers(dense, lesson.student, config.max_length, learns=config.train_queries)
        quantiser = self._quantiser(dense).to(dense.device)
        course.train(self._stages(course, lists, taught, dense, towers, quantiser))
        student = towers if config.train_queries else dense
        course.keep(student)
        save_model(quantiser, str(self._context.training / QUANTISER))
        encoder = CodeEncoder(student.model.eval(), quantiser.eval(), config.probes, self._context.mode)
        return EmbeddingRetriever(encoder, CodeIndex, self._context.folder)

    def _quantiser(self, dense: DenseStudent) -> Quantiser:
        config = self._config
        return Quantiser(
            dense.model.get_embedding_dimension(),
            lists=config.lists,
            parts=config.parts,
            words=2**config.bits,
            temperature=config.choice_temperature,
        )

    def _stages(
        self,
        course: Course,
        lists: Candidates,
        taught: Vectors | None,
        dense: DenseStudent,
        towers: Towers,
        quantiser: Quantiser,
    ) -> list[Stage]:
        """The dense student, if it has a share of the steps, and the index."""
        config, rates = self._config, {"centroids": self._config.ivf_rate, "codebooks": self._config.pq_rate}
        steps = course.share(config.dense_share, 1 - config.dense_share) if config.dense_share else [0, course.steps]
        learnt = course.stage("dense", dense, self.dense_loss, course.lists(lists, vectors=taught), steps=steps[0])
        indexed = course.stage(
            "index",
            towers,
            partial(self.loss, quantiser=quantiser),
            lambda: self.begin(course, lists, taught, towers, quantiser),
            steps=steps[1],
            model=nn.ModuleDict({"student": towers.model, "index": quantiser}),
            rates={f"index.{part}": rate / config.learning_rate for part, rate in rates.items()},
            frozen=(f"student.{DOCUMENTS}" if config.train_queries else "student.",),
        )
        return [learnt, indexed] if config.dense_share else [indexed]

    def begin(
        self, course: Course, lists: Candidates, taught: Vectors | None, towers: Towers, quantiser: Quantiser
    ) -> Lists:
        """Stop the document encoder, start the index from what it makes of the corpus; what there is to learn."""
        config, corpus, seed = self._config, course.lesson.corpus, self._context.seed
        towers.stop()
        sample = np.sort(np.random.default_rng(seed).permutation(len(corpus))[: config.sample])
        vectors = towers.encoded(corpus.contents(sample.tolist()), "document")
        sizes = {"lists": config.lists, "parts": config.parts, "words": 2**config.bits}
        quantiser.fill(begin(vectors, **sizes, rotate=config.rotate, seed=seed))
        rows = np.unique(lists.rows)
        towers.keep(texts := list(corpus.contents(rows.tolist())))
        if taught is None:
            documents = np.zeros((len(corpus), vectors.shape[1]), np.float32)
            documents[rows] = towers.encoded(texts, "document")
            taught = towers.encoded([query.text for query in lists.queries], "query"), documents
        return course.lists(lists, vectors=taught)

    def dense_loss(self, view: View) -> Tensor:
        """Of the vectors as they are."""
        return self._compare(view, view.all_scores)

    def loss(self, view: View, quantiser: Quantiser) -> Tensor:
        """Of centroids, of these with codewords, and, while the query encoder learns, of the vectors as they are."""
        config = self._config
        with exact(view.query_vectors, view.document_vectors.flatten(0, 1)) as (queries, documents):
            found, turned = quantiser(documents), quantiser.turned(queries)
            lists, whole = turned @ found.coarse.T, turned @ found.whole.T
        loss = config.ivf_weight * self._compare(view, lists) + config.pq_weight * self._compare(view, whole)
        return loss + config.dense_weight * self.dense_loss(view) if config.train_queries else loss

    def _compare(self, view: View, scores: Tensor) -> Tensor:
        """The scores of all documents of the batch, or of each query's own, with the teacher's."""
        assert view.teacher_all is not None
        teacher, positives = view.teacher_all.detach(), view.positives
        if not self._config.in_batch:
            scores, teacher = (of[view.own_list].view_as(view.rows) for of in (scores, teacher))
            positives = torch.zeros_like(positives)
        return self._objective(scores, teacher, positives)
