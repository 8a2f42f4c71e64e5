"""The card's behaviour checks: hard codes with gradients, what the loss is blind to, bytes, and what is learnt."""

import dataclasses
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_distill_vq import Config
from harness_distill_vq.index import CodeEncoder, CodeIndex, Tables, packed, unpacked
from harness_distill_vq.method import DistillVq
from harness_distill_vq.objective import objective
from harness_distill_vq.quantiser import Quantiser
from harness_distill_vq.start import Start, begin, kmeans, nearest
from safetensors.torch import load_file

from harness.errors import ConfigError
from harness.nn.training.loop import Loop
from harness.nn.training.stage import Schedule, Stage
from harness.testing import DistillerContract
from harness.testing.teachers import Counter
from harness.testing.topics import TopicTeacher, context, corpus, learnt, lesson
from harness.testing.views import view


class TestContract(DistillerContract):
    plugin = "distill-vq"
    options = {  # noqa: RUF012
        "steps": "4",
        "documents": "3",
        "last_rank": "10",
        "batch": "4",
        "lists": "4",
        "parts": "16",
        "bits": "4",
        "chunk": "3",
    }

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


def config(**options: Any) -> Config:
    usual: dict[str, Any] = {"steps": 40, "documents": 5, "last_rank": 30, "batch": 8, "max_length": 16}
    usual |= {"learning_rate": 1e-3, "lists": 8, "parts": 16, "bits": 4}
    usual |= {"temperature": 0.1, "teacher_temperature": 1.0}
    return Config(**(usual | options))


def vectors(docs: int = 200, dim: int = 12, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((docs, dim)).astype(np.float32)


def quantiser(of: np.ndarray, *, lists: int = 4, parts: int = 3, words: int = 8, rotate: bool = True) -> Quantiser:
    made = Quantiser(of.shape[1], lists=lists, parts=parts, words=words, temperature=0.1)
    made.fill(begin(of, lists=lists, parts=parts, words=words, rotate=rotate, seed=0))
    return made


class TestStart:
    """K-means and the rotation."""

    def test_kmeans_by_hand(self):
        points = np.array([[0.0], [1.0], [10.0], [12.0]], np.float32)
        np.testing.assert_allclose(kmeans(points, points[:2]), [[0.5], [11.0]])

    def test_a_centre_without_points_goes_where_the_error_is(self):
        points = np.array([[0.0], [0.0], [9.0]], np.float32)
        np.testing.assert_allclose(np.sort(kmeans(points, points[:2]), axis=0), [[0.0], [9.0]])

    def test_rotation_is_orthonormal_and_loses_less(self):
        # All variance in two directions, which stand in one part until they are turned apart.
        of = vectors(dim=8) * np.array([5, 5, 1, 1, 0.1, 0.1, 0.1, 0.1], np.float32)
        made = [begin(of, lists=1, parts=4, words=8, rotate=rotate, seed=0) for rotate in (True, False)]
        np.testing.assert_allclose(made[0].rotation @ made[0].rotation.T, np.eye(8), atol=1e-5)
        turned, plain = (_error(start, of) for start in made)
        assert turned < 0.8 * plain

    def test_too_few_documents_and_unequal_parts_are_refused(self):
        with pytest.raises(ConfigError, match="at least 16 documents"):
            begin(vectors(docs=10), lists=2, parts=3, words=16, rotate=False, seed=0)
        with pytest.raises(ConfigError, match="divisor of 12"):
            begin(vectors(), lists=2, parts=5, words=8, rotate=False, seed=0)


def _error(start: Start, of: np.ndarray) -> float:
    made = Quantiser(of.shape[1], lists=len(start.centroids), parts=len(start.codebooks), words=8)
    made.fill(start)
    return error(made, of)


def error(made: Quantiser, of: np.ndarray) -> float:
    """Of reconstruction: mean squared distance."""
    docs = torch.from_numpy(of)
    with torch.no_grad():
        return float((made(docs).whole - made.turned(docs)).pow(2).sum(dim=1).mean())


class TestQuantiser:
    """What the index makes of vectors."""

    def test_reconstructed_vectors_are_made_of_codewords(self):
        of = torch.from_numpy(vectors())
        made = quantiser(of.numpy())
        found = made(of)
        lists, codes = made.codes(of)
        torch.testing.assert_close(found.coarse, made.centroids[lists])
        words = torch.stack([made.codebooks[part][codes[:, part]] for part in range(3)], dim=1).flatten(1)
        torch.testing.assert_close(found.whole - found.coarse, words, atol=1e-5, rtol=0)
        closest = torch.cdist((made.turned(of) - found.coarse).view(-1, 3, 4).transpose(0, 1), made.codebooks)
        assert torch.equal(closest.argmin(dim=2).T, codes)

    def test_gradients_reach_all_codewords_of_a_part_and_the_centroids(self):
        of = torch.from_numpy(vectors(docs=1))
        made = quantiser(vectors())
        made(of).whole.sum().backward()
        chosen = made.codes(of)[1][0]
        gradient = made.codebooks.grad
        assert gradient is not None
        assert all((gradient[part, word] != 0).all() for part, word in enumerate(chosen.tolist()))
        assert (gradient != 0).any(dim=2).sum() > 3  # through the softmax, though only one a part is used
        assert made.centroids.grad is not None
        assert (made.centroids.grad != 0).any(dim=1).sum() == 1

    def test_as_many_codewords_as_documents_lose_nothing(self):
        of, queries = vectors(docs=8), torch.from_numpy(vectors(docs=5, seed=1))
        start = begin(of, lists=2, parts=3, words=8, rotate=True, seed=0)
        turned = of @ start.rotation.T
        remaining = turned - start.centroids[nearest(turned, start.centroids)]
        made = Quantiser(12, lists=2, parts=3, words=8)
        made.fill(dataclasses.replace(start, codebooks=np.stack(np.split(remaining, 3, axis=1))))
        docs = torch.from_numpy(of)
        student, teacher = made.turned(queries) @ made(docs).whole.T, queries @ docs.T
        torch.testing.assert_close(student, teacher, atol=1e-4, rtol=0)
        f = objective(Config(temperature=1.0, teacher_temperature=1.0))
        entropy = -(torch.softmax(teacher, 1) * torch.log_softmax(teacher, 1)).sum(1).mean()
        assert f(student, teacher, torch.zeros(5, dtype=torch.long)).item() == pytest.approx(entropy.item(), abs=1e-4)

    def test_lists_stay_while_centroids_move(self):
        of = torch.from_numpy(vectors())
        made = quantiser(of.numpy())
        before = made.codes(of)[0]
        with torch.no_grad():
            made.centroids.mul_(-3)
        assert torch.equal(made.codes(of)[0], before)


class TestObjective:
    """What the loss sees."""

    def test_blind_to_a_constant_for_each_query(self):
        student, teacher = torch.from_numpy(vectors(3, 5)), torch.from_numpy(vectors(3, 5, seed=1))
        shifted, positives = teacher + torch.tensor([[5.0], [-3.0], [100.0]]), torch.tensor([0, 2, 4])
        for name in ("listnet", "kl", "margin-mse", "ranknet"):
            f = objective(config(loss=name))
            assert f(student, shifted, positives).item() == pytest.approx(
                f(student, teacher, positives).item(), rel=1e-4
            )

    def test_margins_by_hand(self):
        # The positive is column 1. Margins of the student 1 and 3, of the teacher 1 and 1.
        f = objective(config(loss="margin-mse"))
        value = f(torch.tensor([[1.0, 2.0, -1.0]]), torch.tensor([[0.0, 1.0, 0.0]]), torch.tensor([1]))
        assert value.item() == pytest.approx((0 + 4) / 2)

    def test_listnet_by_hand(self):
        f = objective(config(temperature=0.5, teacher_temperature=1.0))
        student, teacher = torch.tensor([[0.5, 0.0]]), torch.tensor([[float(np.log(3)), 0.0]])
        expected = -(0.75 * np.log(np.e / (1 + np.e)) + 0.25 * np.log(1 / (1 + np.e)))
        assert f(student, teacher, torch.tensor([0])).item() == pytest.approx(expected)

    def test_terms_and_the_teacher_without_gradient(self):
        made = quantiser(vectors(docs=40, dim=1), lists=2, parts=1, words=4)
        teacher = torch.tensor([[1.0, 0.0, 0.2, 0.1], [0.0, 0.1, 2.0, 0.3]], requires_grad=True)
        batch = view([[1.0, 0.5], [0.2, -0.4]], teacher_all=teacher)

        def value(**options: Any) -> torch.Tensor:
            return DistillVq(config(**options), context(Path("unused"))).loss(batch, made)

        off = {"ivf_weight": 0.0, "pq_weight": 0.0, "dense_weight": 0.0}
        parts = [value(**(off | {name: 1.0})).item() for name in off]
        value().backward()
        assert teacher.grad is None
        assert value().item() == pytest.approx(sum(parts))
        assert value(train_queries=False).item() == pytest.approx(sum(parts[:2]))
        own = value(**(off | {"dense_weight": 1.0}), in_batch=False).item()
        student, shown = torch.tensor([[1.0, 0.5], [0.2, -0.4]]), torch.tensor([[1.0, 0.0], [2.0, 0.3]])
        assert own == pytest.approx(objective(config())(student, shown, first_column(2)).item())


def first_column(queries: int) -> torch.Tensor:
    return torch.zeros(queries, dtype=torch.long)


class TestIndex:
    """Codes and tables."""

    @pytest.mark.parametrize("bits", range(1, 9))
    def test_codes_are_packed_without_loss(self, bits: int):
        codes = np.random.default_rng(bits).integers(2**bits, size=(7, 5))
        data = packed(codes, 2**bits)
        assert data.shape == (7, -(-5 * bits // 8))
        np.testing.assert_array_equal(unpacked(data, 5, 2**bits), codes)

    def test_tables_score_as_reconstructed_vectors_do(self, tmp_path: Path):
        documents = corpus(tmp_path / "corpus")
        of, queries = vectors(len(documents)), torch.from_numpy(vectors(5, seed=1))
        made = quantiser(of)
        encoder = coder(made)
        (tmp_path / "index").mkdir()
        index = CodeIndex.build(tmp_path / "index", documents, iter([encoder.coded(torch.from_numpy(of))]))
        rows, scores = index.search(encoder.tables(queries), 48)
        exact = (made.turned(queries) @ made(torch.from_numpy(of)).whole.T).detach().numpy()
        np.testing.assert_allclose(scores, np.take_along_axis(exact, rows, axis=1), atol=1e-4)
        lists, parts = encoder.tables(queries)
        assert (lists.shape, parts.shape) == ((5, 4), (5, 3, 8))

    def test_a_query_finds_nothing_outside_its_probes(self, tmp_path: Path):
        documents = corpus(tmp_path / "corpus")
        of, queries = vectors(len(documents)), torch.from_numpy(vectors(5, seed=1))
        made = quantiser(of)
        (tmp_path / "index").mkdir()
        coded = coder(made).coded(torch.from_numpy(of))
        index = CodeIndex.build(tmp_path / "index", documents, iter([coded]))
        tables: Tables = coder(made, probes=2).tables(queries)
        best = np.argsort(-coder(made).tables(queries).lists, axis=1)[:, :2]
        rows, _ = index.search(tables, len(documents))
        for line, probed in zip(rows, best, strict=True):
            assert set(line[line >= 0]) == set(np.flatnonzero(np.isin(coded["lists"], probed)))

    def test_bytes_of_the_index(self, bare_encoder: str, tmp_path: Path):
        given = lesson(bare_encoder, TopicTeacher(), tmp_path)
        retriever = DistillVq(config(steps=2), context(tmp_path)).distil(given)
        retriever.index(given.corpus)
        saved = tmp_path / "saved"
        saved.mkdir()
        retriever.save(saved)
        docs, size = len(given.corpus), {path.name: path.stat().st_size for path in saved.glob("*.bin")}
        assert size == {"codes.bin": docs * 16 * 4 // 8, "lists.bin": docs}
        assert 20 * sum(size.values()) < docs * 128 * 4


def coder(made: Quantiser, probes: int = 0) -> CodeEncoder:
    class Model:
        similarity_fn_name, device = "cosine", "cpu"

    return CodeEncoder(Model(), made, probes)


class TestTraining:
    """What the stages change."""

    @pytest.fixture(params=[True, False], ids=["queries learn", "queries are fixed"])
    def trained(self, request: pytest.FixtureRequest, bare_encoder: str, tmp_path: Path) -> Any:
        place = context(tmp_path)
        options = {"steps": 6, "train_queries": request.param}
        DistillVq(config(**options), place).distil(lesson(bare_encoder, TopicTeacher(), tmp_path))
        kept = [load_file(place.training / "checkpoints" / f"stage-{stage}.safetensors") for stage in range(2)]
        return request.param, *kept

    def test_document_encoder_does_not_change_by_a_bit(self, trained: Any):
        learns, dense, indexed = trained
        towers = {
            role: {name: indexed[f"student.0.sub_modules.{role}.{name}"] for name in dense}
            for role in ("query", "document")
        }
        assert all(torch.equal(towers["document"][name], dense[name]) for name in dense)
        assert all(torch.equal(towers["query"][name], dense[name]) for name in dense) is not learns
        assert not torch.equal(indexed["index.centroids"], indexed["index.anchors"])

    @pytest.mark.parametrize("rate", [1e-5, 1e-2])
    def test_the_index_has_rates_of_its_own_whatever_the_students(self, rate: float, bare_encoder: str, tmp_path: Path):
        place = context(tmp_path)
        options = {"steps": 6, "learning_rate": rate, "ivf_rate": 2e-3, "pq_rate": 1e-9}
        DistillVq(config(**options), place).distil(lesson(bare_encoder, TopicTeacher(), tmp_path))
        index = load_file(place.training / "checkpoints" / "stage-1.safetensors")
        moved = (index["index.centroids"] - index["index.anchors"]).abs().max().item()
        assert 1e-3 < moved < 3 * 2e-3 * 1.01

    def test_stopped_in_the_second_stage_it_ends_as_undisturbed(
        self, bare_encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        def train(name: str, fails: bool) -> dict[str, torch.Tensor]:
            place, method = context(tmp_path / name), DistillVq(config(steps=6), context(tmp_path / name))
            given = lesson(bare_encoder, TopicTeacher(), tmp_path / name)
            if fails:
                with monkeypatch.context() as patched:
                    patched.setattr(DistillVq, "loss", interrupt)
                    with pytest.raises(KeyboardInterrupt):
                        method.distil(given)
                method = DistillVq(config(steps=6), place)
            method.distil(given)
            return load_file(place.training / "checkpoints" / "stage-1.safetensors")

        whole, resumed = train("whole", False), train("resumed", True)
        assert all(torch.equal(whole[name], resumed[name]) for name in whole)

    def test_the_students_own_scores_need_no_teacher(self, bare_encoder: str, tmp_path: Path):
        counter = Counter()
        given = lesson(bare_encoder, counter.watch(TopicTeacher()), tmp_path)
        retriever = DistillVq(config(steps=2, signal="self", dense_share=0.0), context(tmp_path)).distil(given)
        retriever.index(given.corpus)
        assert counter.calls == 0

    def test_options_that_contradict_each_other_are_refused(self):
        with pytest.raises(ValueError, match="dense_share=0"):
            config(signal="self")
        with pytest.raises(ValueError, match="probes"):
            config(probes=9)


def interrupt(*arguments: Any, **options: Any) -> torch.Tensor:
    raise KeyboardInterrupt


def test_learns_the_teachers_topics_through_its_codes(bare_encoder: str, tmp_path: Path):
    def after(teacher: TopicTeacher, **options: Any) -> float:
        folder = tmp_path / f"{teacher.identity}{options}"
        return learnt(DistillVq(config(**options), context(folder)), lesson(bare_encoder, teacher, folder))

    honest = after(TopicTeacher())
    assert honest > 0.7
    assert after(TopicTeacher(permuted=True)) < honest - 0.2


class TestRanking:
    """Two thousand vectors, and queries that mind a quarter of their directions more than the others."""

    @cached_property
    def world(self) -> tuple[np.ndarray, np.ndarray]:
        """Queries and documents."""
        chance, docs, queries, dim = np.random.default_rng(0), 2000, 3500, 64
        minded = np.arange(dim) < dim // 4
        documents = chance.standard_normal((docs, dim)) * np.where(minded, 1.0, 0.6)
        documents /= np.linalg.norm(documents, axis=1, keepdims=True)
        asked = documents[chance.integers(docs, size=queries)] + 0.1 * chance.standard_normal((queries, dim))
        asked *= np.where(minded, 1.0, 0.4)
        asked /= np.linalg.norm(asked, axis=1, keepdims=True)
        turned = np.linalg.qr(chance.standard_normal((dim, dim))).Q
        return (asked @ turned).astype(np.float32), (documents @ turned).astype(np.float32)

    @cached_property
    def start(self) -> Start:
        """The index of least error."""
        return begin(self.world[1], lists=8, parts=8, words=16, rotate=True, seed=0)

    def index(self) -> Quantiser:
        made = Quantiser(64, lists=8, parts=8, words=16, temperature=0.01)
        made.fill(self.start)
        return made

    def train(self, made: Quantiser, folder: Path, teacher: np.ndarray) -> None:
        """Learn from the teacher's best 200 of the first 1500 queries; `teacher` are its queries' vectors."""
        queries, documents = self.world
        best = np.argsort(-(teacher[:1500] @ documents.T), axis=1)[:, :200]
        f = objective(Config(temperature=0.1, teacher_temperature=0.1))

        def batch(number: int) -> tuple[np.ndarray, np.ndarray]:
            chance = np.random.default_rng((0, number))
            asked = chance.choice(1500, 32, replace=False)
            return asked, np.stack([best[query][chance.choice(200, 16, replace=False)] for query in asked]).ravel()

        def loss(of: tuple[np.ndarray, np.ndarray], step: int) -> torch.Tensor:
            asked, rows = of
            found, turned = made(torch.from_numpy(documents[rows])), made.turned(torch.from_numpy(queries[asked]))
            target = torch.from_numpy(teacher[asked] @ documents[rows].T)
            return sum((f(turned @ v.T, target, first_column(32)) for v in found), torch.zeros(()))

        schedule = Schedule(learning_rate=1e-3)
        stage = Stage(name="index", model=made, batch=batch, loss=loss, steps=300, examples=32, schedule=schedule)
        Loop(folder=folder, seed=0).run([stage])

    def recall(self, made: Quantiser) -> float:
        """Share of the exact ten best among the ten best by reconstructed vectors, for the other queries."""
        queries, documents = self.world[0][1500:], self.world[1]
        whole, turned = made(torch.from_numpy(documents)).whole, made.turned(torch.from_numpy(queries))
        exact, found = (
            np.argsort(-scores, axis=1)[:, :10]
            for scores in (queries @ documents.T, (turned @ whole.T).detach().numpy())
        )
        return float(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(exact, found, strict=True)]))

    def test_ranks_better_than_the_index_of_least_error(self, tmp_path: Path):
        made = self.index()
        before = self.recall(made), error(made, self.world[1])
        self.train(made, tmp_path, self.world[0])
        after = self.recall(made), error(made, self.world[1])
        assert after[0] > before[0] + 0.01
        assert after[1] > before[1]  # what it learns is not the vectors

    def test_learns_nothing_from_another_querys_scores(self, tmp_path: Path):
        made = self.index()
        before = self.recall(made)
        self.train(made, tmp_path, np.roll(self.world[0], 7, axis=0))
        assert self.recall(made) <= before
