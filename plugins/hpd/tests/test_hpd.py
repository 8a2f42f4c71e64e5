"""The card's behaviour checks: what PCA keeps, where the tanh ends, and that the student learns short vectors."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_hpd import Config, projection
from harness_hpd.method import Hpd, facts, regression
from harness_hpd.student import Projected

from harness.contracts import Role
from harness.errors import ConfigError
from harness.nn.losses import mse
from harness.nn.retriever import EmbeddingRetriever
from harness.nn.students import DenseStudent
from harness.testing import DistillerContract
from harness.testing.topics import TopicTeacher, context, learnt, lesson
from harness.testing.views import view


class TestContract(DistillerContract):
    plugin = "hpd"
    options = {"steps": "3", "documents": "3", "last_rank": "10", "batch": "4", "dim": "16"}  # noqa: RUF012

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


class Wide(TopicTeacher):
    """The topics' vectors in 64 dimensions, with a little of something else in each."""

    def embed(self, texts: Sequence[str], role: Role) -> np.ndarray:
        topics = super().embed(texts, role)
        mixed = np.linalg.qr(np.random.default_rng(0).standard_normal((64, 64))).Q.astype(np.float32)
        noise = np.stack([np.random.default_rng(sum(text.encode())).standard_normal(64) for text in texts])
        found = topics @ mixed[: topics.shape[1]] + 0.1 * noise.astype(np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


UNUSED = context(Path("unused"))


def vectors(texts: int = 300, width: int = 24, decay: float = 1.0) -> np.ndarray:
    """Rows whose variance falls along directions that are no axes."""
    chance = np.random.default_rng(3)
    turned = np.linalg.qr(chance.standard_normal((width, width))).Q
    spread = (1 + np.arange(width)) ** -decay
    return ((chance.standard_normal((texts, width)) * spread) @ turned).astype(np.float32)


def config(**options: Any) -> Config:
    usual: dict[str, Any] = {"steps": 30, "documents": 5, "last_rank": 30, "batch": 12, "max_length": 16}
    usual |= {"learning_rate": 5e-4, "dim": 8, "head_rate": 5.0}
    return Config(**(usual | options))


def test_components_are_orthonormal_and_of_the_largest_variance():
    known = vectors()
    for matrix in (projection.pca(known, 5), projection.random(24, 5, 0)):
        assert matrix.shape == (5, 24)
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(5), atol=1e-5)
    variances = np.var(known @ projection.pca(known, 24).T, axis=0)
    assert (np.diff(variances) < 0).all()


def test_components_by_hand():
    # Variance along (1, 1), none along (1, -1); the mean is not taken off when vectors are shortened.
    known = np.array([[3.0, 1.0], [5.0, 3.0], [4.0, 2.0]], np.float32)
    matrix = projection.pca(known, 1)
    np.testing.assert_allclose(matrix, [[0.5**0.5, 0.5**0.5]], atol=1e-6)
    np.testing.assert_allclose(known @ matrix.T, np.array([[4.0], [8.0], [6.0]]) * 0.5**0.5, atol=1e-5)


def test_all_components_are_a_rotation():
    known = vectors()
    turned = known @ projection.pca(known, 24).T
    np.testing.assert_allclose(turned @ turned.T, known @ known.T, atol=1e-4)
    assert projection.inner_product_error(known, projection.pca(known, 24)) < 1e-9


def test_pca_keeps_inner_products_better_than_chance():
    known = vectors()
    error = projection.inner_product_error(known, projection.pca(known, 6))
    assert error < 0.2
    assert all(error < 0.5 * projection.inner_product_error(known, projection.random(24, 6, seed)) for seed in range(5))


def test_a_dimension_that_does_not_fit_is_refused():
    for make in (lambda: projection.pca(vectors(), 25), lambda: projection.random(24, 25, 0)):
        with pytest.raises(ConfigError, match="at most 24"):
            make()
    with pytest.raises(ConfigError, match="expected 24"):
        projection.identity(24, 8)


def test_loss_by_hand():
    batch = view([[0.5, -1.0]])  # the query's vector is 1
    loss = regression(np.array([[0.0]], np.float32), np.array([[0.0], [1.0]], np.float32))
    assert loss(batch).item() == pytest.approx((1 + 0.25 + 4) / 3)


def test_without_shortening_it_is_plain_regression_of_the_teachers_vectors():
    known = vectors(texts=6)
    queries, documents = (known @ Hpd(config(targets="teacher", dim=24), UNUSED).matrix(known).T for _ in range(2))
    student = torch.from_numpy(vectors(texts=9)[3:])
    batch = view([[0.0, 0.0]] * 2, query_vectors=student[:2], document_vectors=student[2:].view(2, 2, 24))
    expected = mse(student, torch.from_numpy(np.concatenate([queries[:2], documents[:4]])))
    assert regression(queries, documents)(batch).item() == pytest.approx(expected.item())
    np.testing.assert_array_equal(documents, known)


def test_what_lies_beyond_the_tanh_is_counted():
    known = np.array([[3.0, 0.5], [-0.2, 0.1]], np.float32)
    said = facts(known, np.eye(2, dtype=np.float32), 1.0)
    assert (said["beyond_tanh"], said["tanh_floor"]) == pytest.approx((0.25, 2.0))
    assert facts(known, np.eye(2, dtype=np.float32), 0.3)["tanh_floor"] == 0


def test_the_tanh_sets_a_floor_for_targets_beyond_one(bare_encoder: str, tmp_path: Path):
    def loss(tanh: bool) -> tuple[float, float]:
        place = context(tmp_path / str(tanh))
        given = lesson(bare_encoder, TopicTeacher(), tmp_path / str(tanh))
        Hpd(config(tanh=tanh, scale=1.5, head_rate=20.0), place).distil(given)
        record = json.loads((place.training / "record.json").read_text())
        return float(np.mean(record["curves"]["train"][-5:])), record["targets"]["tanh_floor"]

    (limited, floor), (free, _) = loss(True), loss(False)
    assert floor > 1
    assert limited > floor > 2 * free


def test_student_is_the_checkpoint_with_a_layer_on_its_mean(bare_encoder: str, tmp_path: Path):
    place = context(tmp_path)
    (tmp_path / "work").mkdir()
    student, plain = Projected(bare_encoder, place, 16, 8, True), DenseStudent(bare_encoder, place, 16)
    texts, layer = ["a lemon", "two violins there"], student.model[-1].linear
    expected = torch.tanh(layer(plain.model(plain.features(texts, "query"))["sentence_embedding"]))
    torch.testing.assert_close(student.embed(texts, "query"), expected)
    assert [type(module).__name__ for module in student.model] == ["Transformer", "Pooling", "Dense"]


def test_learns_the_teachers_topics_in_short_vectors(bare_encoder: str, tmp_path: Path):
    def after(teacher: TopicTeacher, **options: Any) -> float:
        folder = tmp_path / f"{teacher.identity}{options}"
        return learnt(Hpd(config(**options), context(folder)), lesson(bare_encoder, teacher, folder))

    start, honest = after(TopicTeacher(gap=1.0), steps=1), after(TopicTeacher(gap=1.0))
    assert honest > 0.7
    assert honest > start + 0.2
    assert after(TopicTeacher(gap=1.0, permuted=True)) < honest - 0.2


def test_pca_teaches_more_than_chance_and_the_teacher_is_above_the_student(bare_encoder: str, tmp_path: Path):
    def after(targets: str) -> float:
        folder = tmp_path / targets
        given = lesson(bare_encoder, Wide(gap=1.0), folder)
        return learnt(Hpd(config(targets=targets, dim=6), context(folder)), given)

    by_pca, by_chance = after("pca"), after("random")
    assert by_pca > by_chance + 0.05
    assert taught(tmp_path / "all", bare_encoder, None) >= taught(tmp_path / "six", bare_encoder, 6) > by_pca - 0.05


def taught(folder: Path, checkpoint: str, dim: int | None) -> float:
    """What `learnt` would say of the teacher itself, its vectors shortened to `dim`."""
    given = lesson(checkpoint, Wide(gap=1.0), folder)
    known = Wide(gap=1.0).embed(list(given.corpus.contents()), "document")
    matrix = np.eye(64, dtype=np.float32) if dim is None else projection.pca(known, dim)

    class Shortened:
        parameters = 0

        def __call__(self, texts: Sequence[str], role: Role) -> np.ndarray:
            short = Wide(gap=1.0).embed(texts, role) @ matrix.T
            return short / np.linalg.norm(short, axis=1, keepdims=True)

    class Itself:
        def distil(self, lesson: object) -> EmbeddingRetriever:
            from harness.index.dense import DenseIndex

            return EmbeddingRetriever(Shortened(), DenseIndex, folder)

    return learnt(Itself(), given)  # pyright: ignore[reportArgumentType]


def test_the_index_is_as_small_as_the_vectors(bare_encoder: str, tmp_path: Path):
    given = lesson(bare_encoder, TopicTeacher(gap=1.0), tmp_path)
    retriever = Hpd(config(steps=1, dim=4), context(tmp_path)).distil(given)
    retriever.index(given.corpus)
    saved = tmp_path / "saved"
    saved.mkdir()
    retriever.save(saved)
    assert (saved / "vectors.bin").stat().st_size == len(given.corpus) * 4 * 4
