"""The gradient cache gives the plain gradient: with dropout, InfoNCE, any chunk, accumulation and bf16."""

from typing import NamedTuple

import pytest

torch = pytest.importorskip("torch")

from harness.errors import ContractError  # noqa: E402
from harness.nn.losses import info_nce  # noqa: E402
from harness.nn.training.gradient_cache import GradientCache  # noqa: E402
from harness.nn.training.loop import Loop  # noqa: E402
from harness.nn.training.stage import Schedule, Stage  # noqa: E402

TEXTS = 6


@pytest.fixture
def bert(tiny_bert):
    from transformers import BertModel

    model = BertModel.from_pretrained(tiny_bert).train()
    assert model.config.hidden_dropout_prob > 0
    return model


def tokens(seed):
    return torch.randint(5, 50, (TEXTS, 9), generator=torch.Generator().manual_seed(seed))


def contrast(queries, documents):
    return info_nce(torch.nn.functional.normalize(queries, dim=1) @ documents.T, torch.arange(TEXTS), temperature=0.2)


def gradients(model):
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    return found


def plain(bert, chunk):
    """Chunks encoded one after the other with the graph of all: equal chance, all activations held."""
    queries, documents = (torch.cat([bert(part).pooler_output for part in tokens(n).split(chunk)]) for n in (0, 1))
    contrast(queries, documents).backward()
    return gradients(bert)


def cached(bert, chunk):
    cache = GradientCache(lambda part: bert(part).pooler_output, chunk)
    contrast(cache(tokens(0)), cache(tokens(1))).backward()
    cache.backward()
    return gradients(bert)


@pytest.mark.parametrize("chunk", [1, 4, TEXTS])
def test_gradients_are_those_of_the_plain_computation(bert, chunk):
    torch.manual_seed(5)
    expected = plain(bert, chunk)
    after = torch.rand(1)
    torch.manual_seed(5)
    found = cached(bert, chunk)
    assert torch.rand(1) == after  # the second pass draws nothing
    assert found.keys() == expected.keys()
    assert max(gradient.abs().max() for gradient in expected.values()) > 1e-2
    for name in expected:
        assert torch.allclose(found[name], expected[name], atol=1e-5), name


def test_without_dropout_the_chunk_does_not_matter(bert):
    bert.eval()
    one, all_at_once = cached(bert, 1), plain(bert, TEXTS)
    for name in one:
        assert torch.allclose(one[name], all_at_once[name], atol=1e-5), name


def test_under_autocast_beside_texts_that_are_not_cached(bert):
    """Autocast's copies of the weights from the first pass, which have no graph, must not serve the plain texts."""

    def run(documents):
        torch.manual_seed(5)
        with torch.autocast("cpu", torch.bfloat16):
            found = documents(tokens(1))
            queries = bert(tokens(0)).pooler_output
            loss = contrast(queries, found)
        assert found.dtype == torch.bfloat16
        loss.backward()

    run(lambda inputs: bert(inputs).pooler_output)
    expected = gradients(bert)
    cache = GradientCache(lambda inputs: bert(inputs).pooler_output, TEXTS)
    run(cache)
    cache.backward()
    found = gradients(bert)
    for name in expected:
        assert torch.allclose(found[name], expected[name], atol=2e-2 * expected[name].abs().max().item() + 1e-6), name


class Pair(NamedTuple):
    vectors: "torch.Tensor"
    mask: "torch.Tensor"


def test_named_tuples_roles_and_chunks_of_the_caller():
    layer = torch.nn.Linear(3, 2)
    roles = []

    def encode(inputs, role):
        roles.append(role)
        return Pair(layer(inputs), inputs[:, 0] > 0)

    inputs = torch.randn(5, 3)
    cache = GradientCache(encode)
    parts = cache.parts([inputs[:2], inputs[2:]], "query")
    assert isinstance(parts[0], Pair)
    assert not parts[0].mask.requires_grad
    sum((part.vectors**2).sum() for part in parts).backward()
    cache.backward()
    found = layer.weight.grad.clone()
    layer.zero_grad()
    (layer(inputs) ** 2).sum().backward()
    assert torch.allclose(found, layer.weight.grad)
    assert roles == ["query"] * 4


def test_what_the_loss_does_not_use_is_not_encoded_again():
    layer, calls = torch.nn.Linear(3, 2), []

    def encode(inputs):
        calls.append(len(inputs))
        return layer(inputs)

    cache = GradientCache(encode, 2)
    with torch.no_grad():
        assert not cache(torch.ones(3, 3)).requires_grad
    used, _ = cache(torch.ones(5, 3)), cache(torch.ones(1, 3))
    used.sum().backward()
    assert calls == [2, 1, 2, 2, 1, 1]
    cache.backward()
    assert calls[6:] == [2, 2, 1]
    cache.backward()
    assert layer.bias.grad.tolist() == [5, 5]


def test_forgotten_or_unfaithful_second_passes_are_errors():
    layer = torch.nn.Linear(3, 2)
    forgotten = GradientCache(layer, 2)
    forgotten(torch.ones(2, 3)).sum().backward()
    with pytest.raises(ContractError, match="after_backward"):
        forgotten(torch.ones(2, 3))
    numbers = iter(range(9))
    unfaithful = GradientCache(lambda inputs: layer(inputs) + next(numbers), 2)
    unfaithful(torch.ones(2, 3)).sum().backward()
    with pytest.raises(ContractError, match="other representations"):
        unfaithful.backward()


@pytest.mark.parametrize("precision", ["no", "bf16"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_in_a_stage(tmp_path, accumulate, precision):
    """The loop with a cache gives the weights of the loop without."""

    def trained(name, chunk):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.2), torch.nn.Linear(8, 8))
        cache = GradientCache(model, chunk) if chunk else None

        def loss(inputs, step):
            return contrast(*((cache or model)(part) for part in inputs))

        stage = Stage(
            name="fit", model=model, loss=loss, steps=5, examples=TEXTS,
            batch=lambda n: torch.randn(2, TEXTS, 4, generator=torch.Generator().manual_seed(n)),
            schedule=Schedule(learning_rate=0.02, clip=0.1, accumulate=accumulate),
            after_backward=cache.backward if cache else None,
        )  # fmt: skip
        account = Loop(folder=tmp_path / name, seed=1, precision=precision).run([stage])
        return account.curves["fit"], torch.cat([p.detach().flatten() for p in model.parameters()])

    (plain_curve, plain_weights), (curve, weights) = trained("plain", None), trained("cached", TEXTS)
    assert curve == pytest.approx(plain_curve, rel=1e-5 if precision == "no" else 5e-2)
    assert torch.allclose(weights, plain_weights, atol=1e-5 if precision == "no" else 2e-2)
    assert plain_curve[0] != plain_curve[-1]
