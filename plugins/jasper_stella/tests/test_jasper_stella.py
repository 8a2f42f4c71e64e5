"""The card's behaviour checks: what each loss is blind to, what is frozen when, and that every head learns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness_jasper_stella import Config
from harness_jasper_stella.heads import FULL, Headless, frozen
from harness_jasper_stella.losses import Weights, drawn, order
from harness_jasper_stella.method import JasperStella, Targets, joined
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from harness.card import Use
from harness.contracts import Role
from harness.errors import SignalError
from harness.index.dense import DenseIndex
from harness.nn.course import Course
from harness.nn.encoders import DenseEncoder
from harness.nn.loading import adjust, load
from harness.nn.losses import cosine, relation
from harness.nn.retriever import EmbeddingRetriever
from harness.records import Budget
from harness.testing import DistillerContract
from harness.testing.teachers import Counter, without
from harness.testing.topics import Shuffled, TopicTeacher, context, learnt, lesson
from harness.testing.views import view


class TestContract(DistillerContract):
    plugin = "jasper-stella"
    options = {  # noqa: RUF012
        "steps": "4",
        "documents": "3",
        "last_rank": "10",
        "batch": "4",
        "short_dims": "16",
        "learning_rate": "5e-4",
        "chunk": "3",
    }

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


ALL = Weights(cosine=1.0, similarity=1.0, order=1.0, margin=0.015)
PAIRS = drawn(6, 100, (0,))


def config(**options: Any) -> Config:
    usual: dict[str, Any] = {"steps": 36, "documents": 5, "last_rank": 30, "batch": 8, "max_length": 16}
    usual |= {"learning_rate": 1e-3, "head_rate": 5.0, "pairs": 200, "short_dims": (4,)}
    return Config(**(usual | options))


def vectors(seed: int, texts: int = 6, width: int = 5) -> torch.Tensor:
    return functional.normalize(torch.from_numpy(np.random.default_rng(seed).standard_normal((texts, width))), dim=1)


def rotation(width: int = 5) -> torch.Tensor:
    return torch.from_numpy(np.linalg.qr(np.random.default_rng(9).standard_normal((width, width))).Q)


def similarities(of: torch.Tensor) -> torch.Tensor:
    return (of @ of.T)[PAIRS[0], PAIRS[1]]


def test_order_by_hand():
    # The teacher orders 0 > 1 > 2. Hinges at margin 0.1: 0.5 - 0.2, 0.1 - 0.2 (none), 0.1 - 0.5 (none), each + 0.1.
    student, teacher = torch.tensor([0.2, 0.5, 0.1]), torch.tensor([0.9, 0.4, 0.3])
    assert order(student, teacher, 0.1).item() == pytest.approx(0.4 / 3)
    tied = torch.tensor([0.9, 0.9, 0.3])  # 0 and 1 are no pair; the number of pairs stays
    assert order(student, tied, 0.5).item() == pytest.approx((0.4 + 0.1) / 3)


def test_a_student_that_is_the_teacher_loses_by_close_pairs_only():
    same = vectors(0)
    assert cosine(same, same).item() == pytest.approx(0, abs=1e-9)
    assert relation(same, same).item() == pytest.approx(0, abs=1e-9)
    values = similarities(same)
    gaps = values.unsqueeze(1) - values.unsqueeze(0)
    close = (0.015 - gaps)[(gaps > 0) & (gaps < 0.015)]
    assert len(close) > 0
    assert order(values, values, 0.015).item() == pytest.approx(close.sum().item() / (15 * 14 / 2))
    assert order(values, values, 0.0).item() == 0


def test_losses_over_pairs_are_blind_to_rotation_and_to_width():
    student, teacher = vectors(1), vectors(2)
    turned = student @ rotation()
    assert ALL.by_pairs(turned, teacher, PAIRS).item() == pytest.approx(ALL.by_pairs(student, teacher, PAIRS).item())
    assert ALL.all(turned, teacher, PAIRS).item() != pytest.approx(ALL.all(student, teacher, PAIRS).item())
    longer = torch.cat([student, torch.zeros(6, 3)], dim=1)
    assert ALL.by_pairs(longer, teacher, PAIRS).item() == pytest.approx(ALL.by_pairs(student, teacher, PAIRS).item())


def test_order_sees_the_teachers_order_only():
    student, teacher = similarities(vectors(1)), similarities(vectors(2))
    stretched = torch.exp(3 * teacher)
    assert order(student, stretched, 0.015).item() == pytest.approx(order(student, teacher, 0.015).item())
    nearer = torch.cat([vectors(2), torch.ones(6, 1)], dim=1)  # every cosine c becomes (c + 1) / 2
    assert order(student, similarities(functional.normalize(nearer, dim=1)), 0.015).item() == pytest.approx(
        order(student, teacher, 0.015).item()
    )
    assert relation(vectors(1), nearer).item() != pytest.approx(relation(vectors(1), vectors(2)).item(), rel=0.1)


def test_weights_leave_losses_out():
    student, teacher = vectors(1), vectors(2)
    parts = {"cosine": 10.0, "similarity": 200.0, "order": 20.0}

    def value(chosen: Mapping[str, float]) -> float:
        return Weights(**{**dict.fromkeys(parts, 0.0), **chosen}, margin=0.015).all(student, teacher, PAIRS).item()

    each = [value({name: weight}) for name, weight in parts.items()]
    assert each[0] == pytest.approx(10 * cosine(student, teacher).item())
    assert each[1] == pytest.approx(200 * relation(student, teacher).item())
    assert value(parts) == pytest.approx(sum(each))


def test_pairs_are_drawn_from_the_seed_without_replacement():
    assert drawn(4, 6, (0,)).T.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    some = drawn(10, 20, (0, 3))
    assert torch.equal(some, drawn(10, 20, (0, 3)))
    assert not torch.equal(some, drawn(10, 20, (0, 4)))
    assert len({tuple(pair) for pair in some.T.tolist()}) == 20
    assert (some[0] < some[1]).all()


def test_joined_teachers_have_equal_weights():
    chance = np.random.default_rng(0)
    first, second = 7 * chance.standard_normal((6, 4)), 0.1 * chance.standard_normal((6, 9))
    both = joined([first, second])
    cosines = [functional.cosine_similarity(t[:, None], t[None], dim=2) for t in map(torch.from_numpy, (first, second))]
    np.testing.assert_allclose(both @ both.T, (cosines[0] + cosines[1]).numpy() / 2, atol=1e-9)


def test_a_batch_has_each_document_once(bare_encoder: str, tmp_path: Path):
    given = lesson(bare_encoder, TopicTeacher(), tmp_path)
    lists = Course(lesson=given, context=context(tmp_path), config=config()).candidates.select([0, 1])
    rows = torch.tensor([[5, 3], [3, 5]])
    batch = view([[1.0, 2.0], [2.0, 1.0]], rows=rows)
    student, teacher = Targets(given, lists, [TopicTeacher()]).batch(batch)
    assert student.flatten().tolist() == [1, 1, 2, 1]  # two queries, then rows 3 and 5
    assert teacher.shape == (4, 8)


def test_the_full_head_learns_nothing_from_short_ones_that_it_teaches(bare_encoder: str, tmp_path: Path):
    given = lesson(bare_encoder, TopicTeacher(), tmp_path)
    lists = Course(lesson=given, context=context(tmp_path), config=config()).candidates.select([0, 1])
    targets = Targets(given, lists, [TopicTeacher()])
    student = Headless(bare_encoder, context(tmp_path), 16)
    heads = student.heads(8, (4,))
    batch = view([[0.0, 0.0]] * 2, query_vectors=torch.rand(2, 128), document_vectors=torch.rand(2, 2, 128))
    method = JasperStella(config(cosine_weight=0.0, short_teacher="self"), context(tmp_path))
    alone = method.loss(batch, targets, heads)
    (method.loss(batch, targets, heads, (4,)) - alone).backward()
    gradients = {name: parameter.grad for name, parameter in heads.named_parameters()}
    full, short = gradients[f"{FULL}.linear.weight"], gradients["4.linear.weight"]
    assert full is not None
    assert short is not None
    assert full.abs().max() < 1e-6
    assert short.abs().max() > 1e-3


class TestStages:
    """What is frozen does not change by a bit."""

    @pytest.fixture
    def trained(self, bare_encoder: str, tmp_path: Path) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]]]:
        """Weights at first, and after each of the three stages."""
        place = context(tmp_path)
        options = {"steps": 6, "batch": 4, "head_share": 0.34, "top_share": 0.33, "last_layers": 1}
        JasperStella(config(**options), place).distil(lesson(bare_encoder, TopicTeacher(), tmp_path))
        student = Headless(bare_encoder, place, 16)
        first = nn.ModuleDict({"student": student.model, "heads": student.heads(8, (4,))}).state_dict()
        return first, [load_file(place.training / "checkpoints" / f"stage-{stage}.safetensors") for stage in range(3)]

    def test_head_then_top_then_all(self, trained: Any):
        first, (head, top, everything) = trained
        assert changed(first, head) == {"heads.full"}
        assert changed(head, top) == {"heads.full", "student.layer.1"}
        assert changed(top, everything) >= {"heads.full", "heads.4", "student.embeddings", "student.layer.0"}


def changed(before: Mapping[str, torch.Tensor], after: Mapping[str, torch.Tensor]) -> set[str]:
    """Which parts of student and heads."""
    return {_part(name) for name in after if not torch.equal(before[name], after[name])}


def _part(name: str) -> str:
    if name.startswith("heads."):
        return ".".join(name.split(".")[:2])
    inside = name.split(".model.")[1]
    return (
        f"student.layer.{inside.split('.')[2]}" if inside.startswith("encoder") else f"student.{inside.split('.')[0]}"
    )


def test_what_is_frozen_is_named_in_full():
    model = nn.ModuleDict(
        {
            "student": nn.ModuleDict({"embeddings": nn.Linear(1, 1), "layer": nn.ModuleList([_Block(), _Block()])}),
            "heads": nn.ModuleDict({"full": nn.Linear(1, 1), "4": nn.Linear(1, 1)}),
        }
    )
    assert len(frozen(model, 0, False)) == 8
    assert not any(name.startswith("student.layer.1") for name in frozen(model, 1, False))
    assert frozen(model, None, True) == ()


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(1, 1)


def test_learns_the_teachers_similarities_with_every_loss_left_out_in_turn(bare_encoder: str, tmp_path: Path):
    def after(teacher: TopicTeacher, **options: Any) -> float:
        folder = tmp_path / f"{teacher.identity}{options}"
        return learnt(JasperStella(config(**options), context(folder)), lesson(bare_encoder, teacher, folder))

    start, honest = after(TopicTeacher(), steps=3, learning_rate=0.0), after(TopicTeacher())
    assert honest > 0.8
    assert honest > start + 0.2
    assert after(TopicTeacher(permuted=True)) < honest - 0.2
    for left_out in ("cosine_weight", "similarity_weight", "order_weight"):
        assert after(TopicTeacher(), **{left_out: 0.0}) > start + 0.2


class Spread(TopicTeacher):
    """The topics in 64 dimensions, none of which knows more than another: nothing that can be cut off is empty."""

    def embed(self, texts: Sequence[str], role: Role) -> np.ndarray:
        turned = np.linalg.qr(np.random.default_rng(0).standard_normal((64, 8))).Q.T
        return (super().embed(texts, role) @ turned).astype(np.float32)


def test_a_small_head_beats_the_first_numbers_of_the_full_one(bare_encoder: str, tmp_path: Path):
    given, place = lesson(bare_encoder, Spread(), tmp_path), context(tmp_path)
    # One training: the second distillation finds it done, and takes another head of it.
    options = {"head_share": 0.1, "top_share": 0.2, "short_dims": (6,)}
    JasperStella(config(**options), place).distil(given)
    long = load("dense", str(place.training / "student"), place)
    assert long.get_embedding_dimension() == 64
    adjust(long, truncate_dim=6)
    cut = learnt(_Made(EmbeddingRetriever(DenseEncoder(long), DenseIndex, place.folder)), given)
    short = learnt(JasperStella(config(**options, output=6), place), given)
    assert load("dense", str(place.training / "student"), place).get_embedding_dimension() == 6
    assert short > cut + 0.05


class _Made:
    def __init__(self, retriever: EmbeddingRetriever) -> None:
        self._retriever = retriever

    def distil(self, lesson: object) -> EmbeddingRetriever:
        return self._retriever


def test_further_teachers_are_asked_inside_the_budget(bare_encoder: str, tmp_path: Path):
    counter = Counter()
    further = counter.watch(TopicTeacher(gap=2.0))
    place = context(tmp_path, lambda use: further if isinstance(use, Use) else Shuffled())
    given = lesson(bare_encoder, counter.watch(TopicTeacher()), tmp_path, Budget(teacher_calls=60))
    use: Any = Use(kind="teacher", name="another", config=None)
    retriever = JasperStella(config(steps=3, teachers=(use,)), place).distil(given)
    assert 0 < counter.calls <= 60
    retriever.index(given.corpus)
    assert load("dense", str(place.training / "student"), place).get_embedding_dimension() == 16


def test_a_further_teacher_without_vectors_is_refused(bare_encoder: str, tmp_path: Path):
    mute = without(TopicTeacher(), ["embed"])
    place = context(tmp_path, lambda use: mute if isinstance(use, Use) else Shuffled())
    use: Any = Use(kind="teacher", name="another", config=None)
    with pytest.raises(SignalError, match="another"):
        JasperStella(config(teachers=(use,)), place).distil(lesson(bare_encoder, TopicTeacher(), tmp_path))


def test_an_output_that_never_learns_is_refused():
    for options in ({"output": 5}, {"output": 4, "head_share": 0.5, "top_share": 0.5}):
        with pytest.raises(ValueError, match="output"):
            config(**options)
    with pytest.raises(ValueError, match="sum"):
        config(head_share=0.6, top_share=0.6)
