"""The card's behaviour checks: what is replaced and restored, what passes the bottleneck, and the stages' losses."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from harness_simlm import Config
from harness_simlm.bottleneck import Bottleneck
from harness_simlm.corruption import LanguageModel, Passages, Unigram, corrupt
from harness_simlm.method import SimLM
from harness_simlm.pretraining import Pretraining, frequencies
from safetensors.torch import load_file
from torch import Tensor

from harness.contracts import Context
from harness.errors import CheckpointError, ConfigError, SignalError
from harness.nn.course import Course
from harness.nn.losses import info_nce
from harness.nn.recipe import View
from harness.nn.retriever import EmbeddingRetriever
from harness.nn.students import Student
from harness.records import Budget
from harness.testing import DistillerContract
from harness.testing.topics import FORMS, TOPICS, TopicTeacher, context, corpus, learnt, lesson
from harness.testing.views import gradient, view

SMALL: dict[str, Any] = {
    "documents": 6,
    "last_rank": 30,
    "batch": 16,
    "pretrain_batch": 8,
    "learning_rate": 5e-4,
    "max_length": 16,
}
TEXTS = ("about lemontrees", "notes on a glacier, and marathon runners", "a violin")


class TestContract(DistillerContract):
    plugin = "simlm"
    options = {  # noqa: RUF012
        "steps": "5",
        "shares": "0.2,0.2,0.2,0.4",
        "documents": "3",
        "last_rank": "10",
        "batch": "4",
        "pretrain_batch": "4",
        "max_length": "16",
    }

    @pytest.fixture
    def student(self, bare_encoder: str) -> str:
        return bare_encoder


@pytest.fixture(scope="session")
def few_words(bare_encoder: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The bare encoder with no other words than those of the small world: a softmax over 30,522 takes its time."""
    from transformers import AutoModel, AutoTokenizer, BertTokenizer

    folder = tmp_path_factory.mktemp("few-words")
    kept = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", *dict.fromkeys(" ".join((*TOPICS, *FORMS)).split())]
    kept += ["question", "tell", "me", "something"]
    rows = AutoTokenizer.from_pretrained(bare_encoder).convert_tokens_to_ids(kept)
    model: Any = AutoModel.from_pretrained(bare_encoder, add_pooling_layer=False)
    words = model.embeddings.word_embeddings.weight[rows].detach()
    model.embeddings.word_embeddings = torch.nn.Embedding.from_pretrained(words, freeze=False, padding_idx=0)
    model.config.vocab_size = len(kept)
    model.save_pretrained(folder)
    BertTokenizer(vocab={token: number for number, token in enumerate(kept)}).save_pretrained(folder)
    return str(folder)


def pretraining(student: str, folder: Path, **options: Any) -> Pretraining:
    config = Config(**{**SMALL, **options})
    course = Course(lesson=lesson(student, TopicTeacher(), folder), context=context(folder), config=config)
    return Pretraining(course, config, course.student())


def pretrained(given: Pretraining, steps: int) -> tuple[Bottleneck, list[float]]:
    course = given._course  # pyright: ignore[reportPrivateUsage]
    stage = given.stage(steps)
    curve = course.train([stage]).curves["pretrain"]
    assert isinstance(stage.model, Bottleneck)
    return stage.model, curve


def tokenised(student: str) -> tuple[Any, Any]:
    from transformers import AutoTokenizer

    tokeniser = AutoTokenizer.from_pretrained(student)
    return tokeniser, tokeniser(list(TEXTS), padding=True, return_tensors="pt")


def test_whole_words_are_replaced_the_encoders_among_the_decoders(bare_encoder: str):
    _, read = tokenised(bare_encoder)
    seen: list[Tensor] = []

    def unlike_any(tokens: Tensor, attention: Tensor, masked: Tensor, chance: torch.Generator) -> Tensor:
        seen.append(masked)
        return torch.zeros_like(tokens[masked]) - 1

    shares = torch.zeros(2)
    for number in range(50):
        found = corrupt(read, (0.3, 0.5), unlike_any, (0, number))
        for_encoder, for_decoder = found.encoder == -1, found.decoder == -1
        assert (seen[-2] == for_encoder).all()
        assert (for_encoder <= for_decoder).all()
        assert (found.encoder == found.tokens)[~for_encoder].all()
        assert (found.decoder == found.tokens)[~for_decoder].all()
        pieces = [place for place, word in enumerate(read.word_ids(0)) if word == 1]
        assert len(pieces) > 1
        assert len(set(for_decoder[0, pieces].tolist())) == 1
        shares += torch.stack([mask.sum() / found.predicted.sum() for mask in (for_encoder, for_decoder)])
    assert (shares / 50).tolist() == pytest.approx([0.3, 0.5], abs=0.06)


def test_every_token_but_special_ones_is_predicted(bare_encoder: str):
    tokeniser, read = tokenised(bare_encoder)
    found = corrupt(read, (1.0, 1.0), Unigram(torch.ones(10)), (0, 0))
    special = torch.isin(read["input_ids"], torch.tensor(tokeniser.all_special_ids))
    assert (found.predicted == ~special).all()
    assert (found.encoder[special] == found.tokens[special]).all()


def test_generators_draw_no_special_token_and_the_same_from_one_seed(models: Path, bare_encoder: str, tmp_path: Path):
    from transformers import AutoModelForMaskedLM

    tokeniser, read = tokenised(bare_encoder)
    model = AutoModelForMaskedLM.from_pretrained(models / "splade-tiny")
    counts = frequencies(corpus(tmp_path), tokeniser)
    likely = LanguageModel(model, tokeniser.mask_token_id, tokeniser.all_special_ids)
    for generator in (likely, Unigram(counts)):
        first, again = (corrupt(read, (0.5, 1.0), generator, (0, 1)) for _ in range(2))
        assert (first.encoder == again.encoder).all()
        assert (first.decoder == again.decoder).all()
        assert not torch.isin(first.decoder[first.predicted], torch.tensor(tokeniser.all_special_ids)).any()
        assert (corrupt(read, (0.5, 1.0), generator, (0, 2)).decoder != first.decoder).any()
        nothing = corrupt(read, (0.0, 0.0), generator, (0, 1))
        assert (nothing.decoder == nothing.tokens).all()


def test_frequencies_are_those_of_the_corpus(bare_encoder: str, tmp_path: Path):
    tokeniser, _ = tokenised(bare_encoder)
    counts = frequencies(corpus(tmp_path), tokeniser)
    lemon, of = tokeniser.convert_tokens_to_ids(["lemon", "of"])
    assert (counts[lemon], counts[of]) == (6, 16)
    assert counts[tokeniser.all_special_ids].sum() == 0


def test_the_head_starts_from_the_checkpoints_and_generates(models: Path, bare_encoder: str, tmp_path: Path):
    given = pretraining(str(models / "splade-tiny"), tmp_path / "head")
    assert isinstance(given.generator, LanguageModel)
    batch, model = given.batch(0), given.stage(1).model
    assert isinstance(model, Bottleneck)
    assert float(model.bias.detach().abs().sum()) > 0
    assert torch.isfinite(model(batch))
    assert isinstance(pretraining(bare_encoder, tmp_path / "bare").generator, Unigram)
    with pytest.raises(CheckpointError):
        pretraining(bare_encoder, tmp_path / "none", generator="checkpoint")


def decoder_losses(model: Bottleneck, batch: Passages) -> tuple[float, float]:
    """With each passage's own vector, and with another's."""
    with torch.no_grad():
        _, vectors = model.encode(batch)
        losses = [model.restore(model.decode(h, batch), batch) for h in (vectors, vectors.roll(1, dims=0))]
    return float(losses[0]), float(losses[1])


def test_the_decoder_needs_the_vector_and_more_so_with_more_replaced(few_words: str, tmp_path: Path):
    gaps: dict[float, float] = {}
    for share in (0.5, 0.97):
        given = pretraining(few_words, tmp_path / str(share), mask_decoder=share, pretrain_rate=2e-3)
        model, _ = pretrained(given, 50)
        pairs = [decoder_losses(model, given.batch(number)) for number in range(1000, 1006)]
        gaps[share] = sum(other - own for own, other in pairs) / len(pairs)
    assert gaps[0.5] > 0
    assert gaps[0.97] > gaps[0.5]


def test_the_encoders_loss_does_not_see_the_decoder(few_words: str, tmp_path: Path):
    given = pretraining(few_words, tmp_path)
    model, batch = given.stage(1).model.eval(), given.batch(0)
    assert isinstance(model, Bottleneck)
    hidden, vectors = model.encode(batch)
    apart = model.restore(hidden, batch) + model.restore(model.decode(vectors, batch), batch)
    assert model(batch).item() == pytest.approx(apart.item(), rel=1e-5)
    model.restore(hidden, batch).backward()
    assert all(parameter.grad is None for parameter in model.decoder.parameters())


def test_only_the_vector_passes_the_bottleneck(few_words: str, tmp_path: Path):
    given = pretraining(few_words, tmp_path)
    model, batch = given.stage(1).model.eval(), given.batch(0)
    assert isinstance(model, Bottleneck)
    _, vectors = model.encode(batch)
    leaf = vectors.detach().requires_grad_()
    model.restore(model.decode(leaf, batch), batch).backward()
    assert leaf.grad is not None
    assert float(leaf.grad.abs().sum()) > 0
    layers = model.backbone.encoder.layer
    assert all(parameter.grad is None for parameter in layers.parameters())


def test_the_vector_is_the_first_tokens_if_wanted(few_words: str, tmp_path: Path):
    course = Course(
        lesson=lesson(few_words, TopicTeacher(), tmp_path), context=context(tmp_path), config=Config(**SMALL)
    )
    student = SimLM(Config(**SMALL, pooling="cls"), context(tmp_path)).student(course)
    hidden, vectors = Bottleneck(student, 1).eval().encode(pretraining(few_words, tmp_path / "batch").batch(0))
    assert torch.equal(vectors, hidden[:, 0])


def test_nothing_replaced_leaves_a_copy_task(few_words: str, tmp_path: Path):
    plain = pretraining(few_words, tmp_path / "plain", mask_encoder=0.0, mask_decoder=0.0, pretrain_rate=2e-3)
    hard = pretraining(few_words, tmp_path / "hard", mask_encoder=0.9, mask_decoder=0.9, pretrain_rate=2e-3)
    (_, copied), (_, restored) = pretrained(plain, 40), pretrained(hard, 40)
    assert copied[-1] < copied[0] / 4
    assert copied[-1] < restored[-1] / 2


def distiller(folder: Path = Path("unused"), **options: Any) -> SimLM:
    return SimLM(Config(**options), context(folder))


def test_pure_kl_without_infonce_is_0_where_student_and_teacher_agree():
    student = [[0.04, 0.01, -0.02], [0.02, 0.06, 0.0]]
    agreeing = [[score / 0.02 + shift for score in line] for line, shift in zip(student, (3.0, -5.0), strict=True)]
    assert distiller(contrastive=0.0).distilled(view(student, agreeing)).item() == pytest.approx(0, abs=1e-5)
    other = view(student, [[0.0, 1.0, 2.0], [1.0, 0.0, 0.0]])
    assert distiller(contrastive=0.0).distilled(other).item() > 0.1


def test_a_peaked_teacher_gives_the_lists_cross_entropy():
    student = [[0.04, 0.01, -0.02], [0.02, 0.06, 0.0]]
    peaked = view(student, [[1e4, 0.0, 0.0], [1e4, 0.0, 0.0]])
    expected = info_nce(peaked.scores, torch.tensor([0, 0]), temperature=0.02)
    assert distiller(contrastive=0.0).distilled(peaked).item() == pytest.approx(expected.item(), rel=1e-5)


def test_by_hand():
    # Student at 0.02: margins 0 and, for the query, ln 3 to the other list. KL of (3/4, 1/4) to (1/2, 1/2):
    # 3/4 ln 3/2 + 1/4 ln 1/2 = 0.130812. InfoNCE of one positive among 2 equal scores: ln 2.
    batch = view([[0.01, 0.01]], [[1.0986123, 0.0]])
    assert distiller(contrastive=0.0).distilled(batch).item() == pytest.approx(0.130812, abs=1e-5)
    assert distiller().distilled(batch).item() == pytest.approx(0.130812 + 0.2 * 0.693147, abs=1e-5)
    assert distiller().contrastive(batch).item() == pytest.approx(0.693147, abs=1e-5)


def test_infonce_takes_the_whole_batch_but_no_relevant_document():
    batch = view([[0.01, 0.0], [0.02, 0.0]])
    distiller().contrastive(batch).backward()
    assert all(value != 0 for line in gradient(batch) for value in line)
    relevant = torch.tensor([[True, False, True, False], [True, False, True, False]])
    both = view([[0.01, 0.0], [0.02, 0.0]], relevant=relevant)
    distiller().contrastive(both).backward()
    alone = [torch.softmax(torch.tensor([a, 0.0, 0.0]) / 0.02, dim=0) for a in (0.01, 0.02)]
    assert gradient(both)[0][0] == pytest.approx((alone[0][0].item() - 1) / 0.02 / 2, rel=1e-4)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"shares": (0.5, 0.5)}, "4 shares"),
        ({"shares": (1.0, 0.0, 0.0, 0.0)}, "after pre-training"),
        ({"mask_encoder": 0.6}, "mask_encoder"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], word: str):
    with pytest.raises(ValueError, match=word):
        Config(**options)


def test_more_decoder_layers_than_there_are(few_words: str, tmp_path: Path):
    with pytest.raises(ConfigError, match="at most the student's 2 layers"):
        pretraining(few_words, tmp_path, decoder_layers=3).stage(1)


def test_no_teacher_is_refused_before_anything_is_trained(few_words: str, tmp_path: Path):
    with pytest.raises(SignalError):
        SimLM(Config(**SMALL), context(tmp_path)).distil(lesson(few_words, None, tmp_path))
    assert not (tmp_path / "work" / "training").exists()


class Stopped(Exception):
    """Raised in the middle of a training."""


class Stops(SimLM):
    def distilled(self, view: View) -> Tensor:
        raise Stopped


def test_stopped_in_the_last_stage_it_goes_on_from_the_pretrained_weights(few_words: str, tmp_path: Path):
    config = Config(**SMALL, steps=8, shares=(0.25, 0.25, 0.25, 0.25))

    def place(name: str) -> tuple[Context, Any]:
        return context(tmp_path / name), lesson(few_words, TopicTeacher(), tmp_path / name)

    def weights(name: str) -> bytes:
        return (tmp_path / name / "work" / "training" / "student" / "model.safetensors").read_bytes()

    where, given = place("stopped")
    with pytest.raises(Stopped):
        Stops(config, where).distil(given)
    SimLM(config, where).distil(given)
    where, given = place("whole")
    SimLM(config, where).distil(given)
    assert weights("stopped") == weights("whole")


class Watched(SimLM):
    """Keeps the weights of every student that searches."""

    def student(self, course: Course) -> Student:
        made = super().student(course)
        searching = made.retriever
        self.searched: list[list[float]] = getattr(self, "searched", [])

        def retriever() -> EmbeddingRetriever:
            self.searched.append(sums(made.model.state_dict()))
            return searching()

        made.retriever = retriever
        return made


def sums(weights: Mapping[str, Tensor]) -> list[float]:
    """What tells one student's weights from another's."""
    return sorted(float(tensor.double().sum()) for tensor in weights.values())


def test_each_tuning_learns_from_negatives_that_the_one_before_mines(few_words: str, tmp_path: Path):
    config = Config(**{**SMALL, "learning_rate": 1e-3}, steps=8, shares=(0.25, 0.25, 0.25, 0.25))
    method = Watched(config, context(tmp_path))
    method.distil(lesson(few_words, TopicTeacher(), tmp_path))
    folder = tmp_path / "work" / "training"
    tuned = [sums(load_file(folder / "checkpoints" / f"stage-{stage}.safetensors")) for stage in (1, 2, 3)]
    assert method.searched == tuned  # the first two mine, the last is what was asked for
    assert len(json.loads((folder / "record.json").read_text())["candidates"]) == 3


def test_a_budget_of_examples_wants_equal_batches(few_words: str, tmp_path: Path):
    config = Config(**{**SMALL, "pretrain_batch": 2 * SMALL["batch"]}, steps=8)
    given = lesson(few_words, TopicTeacher(), tmp_path, Budget(examples=100))
    with pytest.raises(ConfigError, match="pretrain_batch"):
        SimLM(config, context(tmp_path)).distil(given)


def test_every_tuning_starts_from_the_pretrained_weights(few_words: str, tmp_path: Path):
    values: dict[str, Any] = {**SMALL, "learning_rate": 1e-12, "pretrain_rate": 1e-3, "steps": 8}
    SimLM(Config(**values), context(tmp_path)).distil(lesson(few_words, TopicTeacher(), tmp_path))
    folder = tmp_path / "work" / "training"
    trained = load_file(folder / "student" / "model.safetensors")
    first = load_file(Path(few_words) / "model.safetensors")
    stage = load_file(folder / "checkpoints" / "stage-0.safetensors")
    start = {name.split(".", 3)[-1]: value for name, value in stage.items() if name.startswith("encoder.0.")}
    dense = [name for name in first if name.endswith("dense.weight")]  # normalisation has other names in files
    assert len(dense) == 6
    for name in dense:
        torch.testing.assert_close(trained[name], start[name], atol=1e-6, rtol=0)
    layer = "encoder.layer.1.output.dense.weight"
    assert (trained[layer] - first[layer]).abs().max() > 1e-4


def test_the_teacher_is_followed_and_a_permuted_one_teaches_less(few_words: str, tmp_path: Path):
    config = Config(**SMALL, steps=40, shares=(0.2, 0.1, 0.1, 0.6), temperature=0.1)

    def after(teacher: TopicTeacher) -> float:
        folder = tmp_path / teacher.identity
        return learnt(SimLM(config, context(folder)), lesson(few_words, teacher, folder))

    honest, permuted = after(TopicTeacher()), after(TopicTeacher(permuted=True))
    assert honest > 0.7
    assert permuted < honest - 0.2
