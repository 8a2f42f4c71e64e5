"""The card's behaviour checks of pre-training: what is replaced and restored, and what passes the bottleneck."""

from pathlib import Path
from typing import Any

import pytest
import torch
from harness_simlm import Config
from harness_simlm.bottleneck import Bottleneck
from harness_simlm.corruption import LanguageModel, Passages, Unigram, corrupt
from harness_simlm.method import SimLM
from harness_simlm.pretraining import Pretraining, frequencies
from torch import Tensor

from harness.errors import CheckpointError, ConfigError
from harness.nn.course import Course
from harness.testing.topics import TopicTeacher, context, corpus, lesson

SMALL: dict[str, Any] = {"pretrain_batch": 8, "learning_rate": 5e-4, "max_length": 16}
TEXTS = ("about lemontrees", "notes on a glacier, and marathon runners", "a violin")


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


def test_more_decoder_layers_than_there_are(few_words: str, tmp_path: Path):
    with pytest.raises(ConfigError, match="at most the student's 2 layers"):
        pretraining(few_words, tmp_path, decoder_layers=3).stage(1)
