"""Permutation distillation: six losses by hand, lists that give the label away to nobody, and a student that learns."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from harness_rankgpt import DISTILLER, Config, DistilConfig, LossName
from harness_rankgpt.distil import PermutationDistillation, reciprocal_ranks
from harness_rankgpt.losses import swaps
from harness_rankgpt.method import RankGPT
from scipy.stats import kendalltau

from harness.config import parse
from harness.contracts import Lesson, Retriever
from harness.errors import ConfigError, SignalError
from harness.nn.mining import Candidates
from harness.nn.recipe import View
from harness.plugins import registry
from harness.records import Document, Query
from harness.testing import DistillerContract
from harness.testing.teachers import contrary
from harness.testing.topics import TOPICS, Shuffled, TopicTeacher, context, learnt, lesson
from harness.testing.views import gradient, view

LOSSES: tuple[LossName, ...] = get_args(LossName)
SMALL: dict[str, Any] = {
    **{"steps": 40, "documents": 6, "last_rank": 30, "batch": 8, "learning_rate": 1e-3, "max_length": 16},
}
RANKED: dict[str, Any] = {**SMALL, "batch": 16}
PLAIN: dict[str, Any] = {"scale": 1.0}


class TestContract(DistillerContract):
    plugin = "rankgpt-distill"
    options = {"steps": "3", "documents": "4", "last_rank": "10", "batch": "4"}  # noqa: RUF012

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


class TestContractOfARerank(TestContract):
    options = {**TestContract.options, "form": "reranker", "depth": "15", "max_length": "64"}  # noqa: RUF012


def loss(of: View, **options: Any) -> torch.Tensor:
    return PermutationDistillation(DistilConfig(**(PLAIN | options)), context(Path("unused"))).loss(of)


def softplus(margin: float) -> float:
    return math.log1p(math.exp(margin))


BY_HAND = view([[1.0, 3.0, 0.0]], [[1.0, 0.5, 1 / 3]])
"""The teacher's order is first, second, third; the student puts the second above the first."""


def test_ranknet_by_hand() -> None:
    assert loss(BY_HAND).item() == pytest.approx((softplus(2) + softplus(-1) + softplus(-3)) / 3)
    assert loss(BY_HAND, scale=2.0).item() == pytest.approx((softplus(4) + softplus(-2) + softplus(-6)) / 3)


def test_listnet_by_hand() -> None:
    def value(temperature: float) -> float:
        targets = [math.exp(y / temperature) for y in (1, 0.5, 1 / 3)]
        total = math.log(sum(math.exp(s) for s in (1, 3, 0)))
        return -sum(y / sum(targets) * (s - total) for y, s in zip(targets, (1, 3, 0), strict=True))

    assert loss(BY_HAND, loss="listnet").item() == pytest.approx(value(1))
    assert loss(BY_HAND, loss="listnet", temperature=0.1).item() == pytest.approx(value(0.1))


def test_rmse_and_bce_by_hand() -> None:
    targets, scores = (1, 0.5, 1 / 3), (1, 3, 0)
    errors = [(s + 2 - y) ** 2 for s, y in zip(scores, targets, strict=True)]
    assert loss(BY_HAND, loss="rmse", bias=2.0).item() == pytest.approx(math.sqrt(sum(errors) / 3))
    entropies = [y * softplus(-s - 2) + (1 - y) * softplus(s + 2) for s, y in zip(scores, targets, strict=True)]
    assert loss(BY_HAND, loss="bce", bias=2.0).item() == pytest.approx(sum(entropies) / 3)


def test_the_root_has_a_gradient_where_all_is_learnt() -> None:
    batch = view([[1.0, 0.5]], [[1.0, 0.5]])
    loss(batch, loss="rmse").backward()
    assert gradient(batch) == [[0, 0]]


def test_softmax_by_hand_and_blind_to_the_order_below_the_first() -> None:
    total = math.log(sum(math.exp(s) for s in (1, 3, 0)))
    assert loss(BY_HAND, loss="softmax").item() == pytest.approx(total - 1)
    assert loss(view([[1.0, 3.0, 0.0]], [[1.0, 1 / 3, 0.5]]), loss="softmax").item() == pytest.approx(total - 1)


@pytest.mark.parametrize("mu", [0.0, 10.0])
def test_lambda_by_hand(mu: float) -> None:
    # The student's ranks are 2, 1, 3. 1/D is 1, 0.6309, 0.5 at ranks 1, 2, 3.
    gains = [2**y - 1 for y in (1, 0.5, 1 / 3)]
    best = gains[0] + gains[1] * 0.63093 + gains[2] * 0.5
    pairs = {  # (i above j): difference of discounts, and of those at the distance of ranks
        (0, 1): (1 - 0.63093, 1 - 0.63093, softplus(2)),
        (0, 2): (0.63093 - 0.5, 1 - 0.63093, softplus(-1)),
        (1, 2): (1 - 0.5, 0.63093 - 0.5, softplus(-3)),
    }
    terms = [
        (swap + mu * bound) * (gains[i] - gains[j]) / best * value for (i, j), (swap, bound, value) in pairs.items()
    ]
    assert loss(BY_HAND, loss="lambda", mu=mu).item() == pytest.approx(sum(terms) / 3, rel=1e-4)


def test_lambdas_weights_are_what_swapping_costs_in_ndcg() -> None:
    targets = torch.tensor([[1 / 3, 1.0, 0.25, 0.5]])
    scores = torch.tensor([[4.0, 3.0, 2.0, 1.0]])  # ranks 1, 2, 3, 4

    def ndcg(order: Sequence[int]) -> float:
        def dcg(places: Sequence[int]) -> float:
            return sum((2 ** targets[0, at].item() - 1) / math.log2(rank + 1) for rank, at in enumerate(places, 1))

        return dcg(order) / dcg([1, 3, 0, 2])

    weights = swaps(scores, targets, 0.0)[0]
    for i in range(4):
        for j in range(4):
            swapped = list(range(4))
            swapped[i], swapped[j] = swapped[j], swapped[i]
            assert weights[i, j].item() == pytest.approx(abs(ndcg(swapped) - ndcg(range(4))), abs=1e-6)


def test_ranknet_of_two_is_the_logistic_loss_and_its_gradients_are_opposite() -> None:
    batch = view([[0.3, 1.0]], [[1.0, 0.5]])
    value = loss(batch)
    value.backward()
    assert value.item() == pytest.approx(-math.log(1 / (1 + math.exp(0.7))))
    ((first, second),) = gradient(batch)
    assert first == pytest.approx(-1 / (1 + math.exp(-0.7)))
    assert first == -second


@pytest.mark.parametrize("name", LOSSES)
def test_which_losses_a_constant_changes(name: LossName) -> None:
    targets = [[0.5, 1.0, 1 / 3]]
    value = loss(view([[1.0, 3.0, 0.0]], targets), loss=name).item()
    shifted = loss(view([[8.0, 10.0, 7.0]], targets), loss=name).item()
    assert (shifted == pytest.approx(value, rel=1e-4)) == (name not in ("rmse", "bce"))


@pytest.mark.parametrize("name", ["ranknet", "listnet", "lambda", "softmax"])
def test_gradients_of_a_list_add_up_to_nothing(name: LossName) -> None:
    batch = view([[1.0, 3.0, 0.0], [0.0, 0.5, 0.25]], [[1.0, 0.5, 1 / 3], [0.5, 1.0, 1 / 3]])
    loss(batch, loss=name).backward()
    for line in gradient(batch):
        assert sum(line) == pytest.approx(0, abs=1e-6)
        assert max(map(abs, line)) > 1e-3


def test_scale_is_that_of_the_student() -> None:
    def scale(**options: Any) -> float:
        return PermutationDistillation(DistilConfig(**options), context(Path("unused"))).scale

    assert [scale(), scale(loss="rmse"), scale(form="reranker"), scale(scale=0.5)] == [20, 1, 1, 0.5]


class Asked(TopicTeacher):
    """Puts what stands last first, and notes what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[list[str]] = []

    def order(self, query: Query, docs: Sequence[Document]) -> np.ndarray:
        self.shown.append([document.id for document in docs])
        return np.arange(len(docs))[::-1]


def two_lists(given: Lesson) -> Candidates:
    return Candidates(
        queries=tuple(example.query for example in given.examples[:2]),
        rows=np.array([[9, 4, 7], [2, 30, 1]], np.int32),
        ranks=np.array([[3, 8, 1], [0, 2, 5]], np.int32),
    )


def test_the_teacher_sees_the_first_stages_order_and_ranks_go_back_to_their_documents(tmp_path: Path) -> None:
    teacher = Asked()
    given = lesson("", teacher, tmp_path)
    ids = given.corpus.ids
    targets = reciprocal_ranks(given, two_lists(given))
    assert teacher.shown == [[ids[7], ids[9], ids[4]], [ids[30], ids[1], ids[2]]]
    # Turned round: 4, 9, 7 and 2, 1, 30.
    assert np.allclose(targets, [[1 / 2, 1, 1 / 3], [1, 1 / 3, 1 / 2]])


def test_a_model_that_answers_in_numbers_teaches_its_order(tmp_path: Path) -> None:
    class Posing:
        identity = "posing"

        def fits(self, *_: object) -> bool:
            return True

        def write(self, prompts: Sequence[Any], **_: object) -> list[str]:
            """The best is the passage whose topic stands first in the alphabet."""
            listed = re.findall(r"^\[(\d+)\] .*?(\w+)$", prompts[0][-1].text, re.M)
            return [" > ".join(f"[{number}]" for number, _ in sorted(listed, key=lambda one: one[1]))]

    model: Any = Posing()
    given = lesson("", RankGPT(Config(window=2, step=1), model), tmp_path)
    rows = [given.corpus.row_of(f"{topic}0") for topic in ("violin", "engine", "spider")]
    one = Candidates(
        queries=(given.examples[0].query,), rows=np.array([rows], np.int32), ranks=np.array([[1, 2, 3]], np.int32)
    )
    # Windows of two from the end: violin, (engine, spider), then (violin, engine): engine, violin, spider.
    assert np.allclose(reciprocal_ranks(given, one), [[1 / 2, 1, 1 / 3]])


def test_a_teacher_that_says_nothing_teaches_the_first_stages_order(tmp_path: Path) -> None:
    class Mute(TopicTeacher):
        def order(self, query: Query, docs: Sequence[Document]) -> np.ndarray:
            return np.arange(len(docs))

    given = lesson("", Mute(), tmp_path)
    targets = reciprocal_ranks(given, two_lists(given))
    assert np.allclose(targets, [[1 / 2, 1 / 3, 1], [1 / 3, 1, 1 / 2]])  # the positive, column 0, is not favoured


def test_a_teacher_that_remembers_is_asked_for_all_lists_at_once(tmp_path: Path) -> None:
    class Remembering(TopicTeacher):
        def orders(self, questions: Sequence[tuple[Query, Sequence[Document]]]) -> list[np.ndarray]:
            assert len(questions) == 2
            return [np.arange(len(docs)) for _, docs in questions]

    given = lesson("", Remembering(), tmp_path)
    assert np.allclose(reciprocal_ranks(given, two_lists(given))[0], [1 / 2, 1 / 3, 1])


def test_what_is_no_permutation_is_refused(tmp_path: Path) -> None:
    class Wrong(TopicTeacher):
        def order(self, query: Query, docs: Sequence[Document]) -> np.ndarray:
            return np.zeros(len(docs), np.int64)

    given = lesson("", Wrong(), tmp_path)
    with pytest.raises(SignalError, match=r"\[0, 0, 0\]"):
        reciprocal_ranks(given, two_lists(given))


@pytest.mark.parametrize("options", [{"loss": "hinge"}, {"form": "sparse"}, {"scale": "-1"}, {"depth": "0"}])
def test_options_that_make_no_sense(options: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        parse(registry(), DISTILLER, options)


@pytest.mark.parametrize("name", LOSSES)
def test_free_scores_take_on_the_teachers_order_and_the_reversed_one(name: LossName) -> None:
    order = [2, 0, 3, 1]
    for taught in (order, order[::-1]):
        targets = [[1 / (taught.index(place) + 1) for place in range(4)]]
        scores = torch.zeros(1, 4, requires_grad=True)
        optimiser = torch.optim.SGD([scores], lr=0.5)
        for _ in range(300):
            optimiser.zero_grad()
            batch = view([[0.0] * 4], targets, document_vectors=scores.unsqueeze(2))
            loss(batch, loss=name).backward()
            optimiser.step()
        learnt_order = scores[0].argsort(descending=True).tolist()
        assert learnt_order[0] == taught[0]
        assert name == "softmax" or learnt_order == taught


def trained(student: str, folder: Path, teacher: Any = None) -> float:
    """The correlation of what was learnt with the topics."""
    method = PermutationDistillation(DistilConfig(**SMALL), context(folder))
    return learnt(method, lesson(student, teacher or TopicTeacher(), folder))


def test_learns_the_order_nothing_from_a_permuted_teacher_and_the_opposite_from_a_reversed_one(
    bare_encoder: str, tmp_path: Path
) -> None:
    honest = trained(bare_encoder, tmp_path / "honest")
    assert honest > 0.7
    assert trained(bare_encoder, tmp_path / "permuted", TopicTeacher(permuted=True)) < honest - 0.2
    assert trained(bare_encoder, tmp_path / "reversed", contrary(TopicTeacher())) < honest - 0.5


class Ring(TopicTeacher):
    """Orders topics by how far they stand behind the query's: an order that no word tells."""

    def score(self, pairs: Sequence[tuple[Query, Document]]) -> np.ndarray:
        places = [[_place(query.text), _place(document.content)] for query, document in pairs]
        return -np.array([(document - query) % len(TOPICS) for query, document in places], np.float32)


def _place(text: str) -> int:
    return next(TOPICS.index(word) for word in text.split() if word in TOPICS)


def tau(student: Retriever, given: Lesson) -> float:
    """Mean of Kendall's tau between the scores of all documents and the teacher's, over new queries."""
    student.index(given.corpus)
    asked = [Query(id=topic, text=f"tell me something on {topic}") for topic in TOPICS]
    run = student.search(asked, len(given.corpus))
    taus: list[float] = []
    for query, rows, scores in zip(asked, run.rows, run.scores, strict=True):
        taught = Ring().score([(query, given.corpus[row]) for row in rows.tolist()])
        found: Any = kendalltau(scores, taught)
        taus.append(found.statistic)
    return float(np.mean(taus))


def ranked(student: str, folder: Path, **options: Any) -> float:
    method = PermutationDistillation(DistilConfig(**(RANKED | options)), context(folder))
    given = lesson(student, Ring(), folder)
    return tau(method.distil(given), given)


def test_kendalls_tau_rises_and_more_so_with_ranknet_than_with_listnet(bare_encoder: str, tmp_path: Path) -> None:
    untrained = ranked(bare_encoder, tmp_path / "untrained", steps=1, learning_rate=0.0)
    ranknet = ranked(bare_encoder, tmp_path / "ranknet", learning_rate=2e-3, steps=120)
    listnet = ranked(bare_encoder, tmp_path / "listnet", learning_rate=2e-3, steps=120, loss="listnet")
    assert untrained + 0.04 < listnet
    assert listnet < ranknet


def test_a_reranker_passes_its_first_stage(bare_encoder: str, tmp_path: Path) -> None:
    given = lesson(bare_encoder, Ring(), tmp_path / "first")
    first = tau(Shuffled(), given)
    student = ranked(bare_encoder, tmp_path / "student", form="reranker", depth=48)
    assert abs(first) < 0.1
    assert student > first + 0.2
    assert (tmp_path / "student" / "work" / "training" / "student" / "model.safetensors").is_file()
