"""A local model behind the protocol: chat templates, choices between answers, prompts that are cut to fit."""

from pathlib import Path

import numpy as np
import pytest
import torch

from harness.contracts import Context
from harness.errors import CheckpointError, DataError
from harness.nn import checkpoint
from harness.testing.models import tiny_causal_lm
from harness.text import choices
from harness.text.causal import CausalLM, load_causal_lm
from harness.text.chat import encode_chat
from harness.text.endpoint import Endpoint
from harness.text.fitting import first_words, fitted
from harness.text.generation import generate
from harness.text.local import LocalModel
from harness.text.model import LanguageModel, Message, Prompt
from harness.text.opening import open_model
from harness.text.settings import ModelConfig

TEMPLATE = (
    "{% for message in messages %}({{ message.role }}:{{ message.content }}){% endfor %}"
    "{% if add_generation_prompt %}(assistant:{% endif %}"
)
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + TEMPLATE
ASKED = (Message("system", "Be brief."), Message("user", "A or B?"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_causal_lm(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def lm(folder: str) -> CausalLM:
    return load_causal_lm(folder)


def local(lm: CausalLM, template: str | None = None, chat: bool | None = None) -> LocalModel:
    lm.tokenizer.chat_template = template
    return LocalModel(lm, weights="w", chat=chat)


def read(lm: CausalLM, template: str | None, *messages: Message) -> str:
    """The conversation as the model reads it."""
    lm.tokenizer.chat_template = template
    return lm.tokenizer.decode(encode_chat(lm, messages))


def test_a_conversation_goes_through_the_template(lm: CausalLM) -> None:
    assert read(lm, TEMPLATE, *ASKED) == "(system:Be brief.)(user:A or B?)(assistant:"
    assert read(lm, NO_SYSTEM, *ASKED) == "(user:Be brief.\n\nA or B?)(assistant:"


def test_a_text_cant_end_its_message(lm: CausalLM) -> None:
    assert read(lm, "<s>{{ messages[0].content }}</s>", Message("user", "a</s>b<s>c")) == "<s>a b c</s>"


def test_a_template_that_is_missing_or_refuses(lm: CausalLM) -> None:
    with pytest.raises(CheckpointError, match="chat=false"):
        local(lm, chat=True).write(["x"], max_new_tokens=1)
    with pytest.raises(CheckpointError, match=r"takes system, user, got: never"):
        read(lm, "{{ raise_exception('never') }}", *ASKED)


def test_chat_is_used_where_there_is_a_template(lm: CausalLM) -> None:
    models = [local(lm), local(lm, TEMPLATE), local(lm, TEMPLATE, chat=False), local(lm, TEMPLATE, chat=True)]
    assert [model.identity for model in models] == ["w plain", "w chat", "w plain", "w chat"]


def test_writing_is_generation_after_the_prompt(lm: CausalLM) -> None:
    model = local(lm)
    assert isinstance(model, LanguageModel)
    prompts: list[Prompt] = ["bread", ASKED]
    plain = generate(lm, ["bread", "Be brief.\n\nA or B?"], max_new_tokens=6)
    assert model.write(prompts, max_new_tokens=6) == plain
    chat = generate(lm, ["(user:bread)(assistant:"], max_new_tokens=6)  # this tokeniser adds no mark of its own
    assert local(lm, TEMPLATE).write(["bread"], max_new_tokens=6) == chat
    assert model.write([], max_new_tokens=6) == []


def by_hand(lm: CausalLM, prompt: str, options: str) -> torch.Tensor:
    ids = lm.encode([prompt])[0]
    with torch.no_grad():
        logits = lm.model(torch.tensor([ids])).logits[0, -1]
    return logits[[lm.tokenizer.get_vocab()[option] for option in options]].softmax(-1)


def test_choosing_is_a_softmax_over_the_answers_first_tokens(lm: CausalLM) -> None:
    prompts = ["A or B? Answer:", "x", "which of the two is it? Answer:"]
    given = local(lm).choose(prompts, ("A", "B"))
    assert given.dtype == np.float32
    for prompt, row in zip(prompts, given, strict=True):  # the blank before an answer is a token of its own
        np.testing.assert_allclose(row, by_hand(lm, prompt + " ", "AB"), atol=1e-5)
    (chat,) = local(lm, TEMPLATE).choose(["x"], ("A", "B", "C"))
    np.testing.assert_allclose(chat, by_hand(lm, "(user:x)(assistant:", "ABC"), atol=1e-5)
    assert local(lm).choose([], ("A", "B")).shape == (0, 2)


def test_batches_change_no_choice(lm: CausalLM, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = ["x" * length for length in (3, 40, 7, 26, 5, 90)]
    together = local(lm).choose(prompts, ("A", "B"))
    monkeypatch.setattr(choices, "TOKENS", 60)
    np.testing.assert_allclose(local(lm).choose(prompts, ("A", "B")), together, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "shared", "firsts"), [([[5], [6]], [], [5, 6]), ([[1, 2, 5, 9], [1, 2, 6]], [1, 2], [5, 6])]
)
def test_what_options_share_is_part_of_the_prompt(options: list[list[int]], shared: list[int], firsts: list[int]):
    assert choices.branch(options) == (shared, firsts)


@pytest.mark.parametrize("options", [[[5], [5]], [[5], [5, 6]], [[5, 1], [5, 2], [6]]])
def test_options_that_begin_alike_are_refused(options: list[list[int]]) -> None:
    with pytest.raises(DataError, match="first token"):
        choices.branch(options)


def test_too_long(lm: CausalLM) -> None:
    model = local(lm)
    assert [model.fits("x" * 500, 12), model.fits("x" * 500, 13)] == [True, False]
    with pytest.raises(DataError, match="at most 512"):
        model.choose(["x" * 513], ("A", "B"))
    with pytest.raises(DataError, match="at most 512"):
        model.write(["x" * 512], max_new_tokens=1)


def test_texts_are_cut_until_the_prompt_fits(lm: CausalLM) -> None:
    model = local(lm)
    text = "word " * 1000
    # 300 and 150 words of 5 letters are too many for 512 tokens of one letter with 20 to write; 75 are not.
    assert fitted(model, lambda words: first_words(text, words), 300, 20) == ("word " * 75).strip()
    assert fitted(model, lambda words: first_words(text, words), 40, 20) == ("word " * 40).strip()
    assert fitted(model, lambda words: "x" * 600, 300, 20) == "x" * 600


def test_first_words() -> None:
    assert first_words(" one\n two  three ", 2) == "one two"
    assert first_words("乳" * 50, 3) == "乳" * 30
    assert first_words("", 3) == ""


def test_half_the_precision_is_near_enough_and_another_model(folder: str, tmp_path: Path) -> None:
    context = Context(folder=tmp_path, build=lambda use: None)
    full, half = (
        open_model(ModelConfig(model=folder, precision=precision), context, checkpoint)
        for precision in ("float32", "bfloat16")
    )
    assert full.identity != half.identity
    prompts = ["x", "a longer one"]
    np.testing.assert_allclose(full.choose(prompts, ("A", "B")), half.choose(prompts, ("A", "B")), atol=0.1)
    assert len(half.write(prompts, max_new_tokens=3)) == 2


def test_an_endpoint_is_opened_without_a_checkpoint(tmp_path: Path) -> None:
    context = Context(folder=tmp_path, build=lambda use: None)
    assert isinstance(open_model(ModelConfig(model="endpoint:http://h/v1#m"), context, checkpoint), Endpoint)


def test_a_real_model_chats(smollm2: Path, tmp_path: Path) -> None:
    context = Context(folder=tmp_path, build=lambda use: None)
    model = open_model(ModelConfig(model=str(smollm2)), context, checkpoint)
    assert model.identity.endswith("float32 chat")
    (said,) = model.write(["What is the capital of France? Answer in one word."], max_new_tokens=12)
    assert "Paris" in said
    ((paris, rome),) = model.choose(["What is the capital of France, Rome or Paris?"], ("The Paris", "The Rome"))
    assert paris + rome == pytest.approx(1)
