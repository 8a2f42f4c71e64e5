"""Text → a method's Config: parsing, limits, presets, nested plugins, and messages that name what is near."""

import dataclasses
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Literal

import pytest

from harness import Card, Use, hookimpl, knob
from harness.config import as_json, checkpoints, convert, digest, pairs, parse, use, uses
from harness.errors import ConfigError, PluginNotFound
from harness.plugins import Registry, Source


@dataclass(frozen=True, kw_only=True)
class Bm25Config:
    k1: float = knob(0.9, "saturation", low=0, high=10)
    b: float = knob(0.4, "length", low=0, high=1)
    stemmer: str | None = knob("english", "stemmer")
    lower: bool = knob(True, "lower case")


@dataclass(frozen=True, kw_only=True)
class DenseConfig:
    model: str = knob(..., "checkpoint", checkpoint=True)
    truncate: int | None = knob(None, "dimensions", low=1)
    mode: Literal["dot", "cos"] = knob("dot", "similarity")
    steps: tuple[int, ...] = knob((1, 2), "steps", low=1)

    def __post_init__(self) -> None:
        if self.mode == "cos" and self.truncate == 1:
            raise ValueError("cos of one dimension is always 1 or -1; truncate to more")


@dataclass(frozen=True, kw_only=True)
class CascadeConfig:
    base: Use = knob(..., "first stage", nested="retriever")
    depth: int = knob(100, "documents", low=1)


@dataclass(frozen=True, kw_only=True)
class FusionConfig:
    parts: tuple[Use, ...] = knob(("bm25", "bm25"), "what is fused", nested="retriever")
    weight: float = knob(0.5, "of the first", low=0)
    spare: Use | None = knob(None, "another", nested="retriever")


PRESETS = {"lucene": {"k1": "0.9", "b": "0.4"}, "atire": {"k1": "1.2", "b": "0.75"}}
CARDS = [
    Card(name="bm25", kind="retriever", summary="s", method="m:f", config=Bm25Config, presets=PRESETS),
    Card(name="dense", kind="retriever", summary="s", method="m:f", config=DenseConfig),
    Card(name="cascade", kind="retriever", summary="s", method="m:f", config=CascadeConfig),
    Card(name="fusion", kind="retriever", summary="s", method="m:f", config=FusionConfig),
    Card(name="judge", kind="teacher", summary="s", method="m:f", gives=("judge",)),
]


@pytest.fixture(scope="module")
def registry():
    """Five plugins, each in a module of its own."""
    sources = []
    for card in CARDS:
        module = ModuleType(f"toy_{card.name}")
        hook = hookimpl(lambda card=card: [card])
        setattr(module, f"harness_{card.kind}s", hook)
        sys.modules[module.__name__] = module
        sources.append(
            Source(card.name, f"harness-{card.name}", "1.0", EntryPoint(card.name, module.__name__, "harness"))
        )
    yield Registry(sources)
    for card in CARDS:
        del sys.modules[f"toy_{card.name}"]


def config(registry, name, **options):
    return use(registry, ("retriever",), name, {key.replace("__", "."): value for key, value in options.items()}).config


def test_defaults_and_given_options(registry):
    assert config(registry, "bm25") == Bm25Config()
    assert config(registry, "bm25", k1="1.2", lower="False") == Bm25Config(k1=1.2, lower=False)
    assert config(registry, "dense", model="m").steps == (1, 2)


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (int, "-3", -3),
        (float, "1e-3", 0.001),
        (float, "2", 2.0),
        (bool, "TRUE", True),
        (bool, "false", False),
        (str, " as is ", " as is "),
        (str, "", ""),
        (int | None, "none", None),
        (int | None, "", None),
        (int | None, "7", 7),
        (Literal["a", "b"], "b", "b"),
        (Literal[1, 2], "2", 2),
        (tuple[int, ...], "1, 2,3", (1, 2, 3)),
        (tuple[str, ...], "", ()),
        (tuple[float, ...] | None, "none", None),
    ],
)
def test_convert(hint, text, value):
    found = convert(hint, text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("hint", "text", "expected"),
    [
        (int, "1.5", "a whole number"),
        (int, "", "a whole number"),
        (float, "one", "a number"),
        (bool, "1", "true or false"),
        (bool, "yes", "true or false"),
        (Literal["a", "b"], "c", "one of a, b"),
        (tuple[int, ...], "1,x", "a whole number"),
        (dict[str, int], "a", "nothing that can be written"),
        (int | str | None, "a", "nothing that can be written"),
    ],
)
def test_text_of_another_type_is_refused(hint, text, expected):
    with pytest.raises(ValueError, match=expected):
        convert(hint, text)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("bm25", {"k2": "1"}, ["bm25", "'k2'", "'k1'"]),  # the nearest
        ("bm25", {"zzzzzz": "1"}, ["k1, b, stemmer, lower"]),  # nothing is near: all
        ("bm25", {"k1": "abc"}, ["'k1'", "a number", "'abc'"]),
        ("bm25", {"k1": "-0.1"}, ["from 0 to 10", "'-0.1'"]),
        ("bm25", {"b": "1.1"}, ["from 0 to 1"]),
        ("bm25", {"k1": "nan"}, ["from 0 to 10"]),
        ("fusion", {"weight": "inf"}, ["from 0 to ∞"]),  # JSON has no infinity
        ("bm25", {"preset": "luzene"}, ["'luzene'", "lucene, atire"]),
        ("bm25", {"k1.x": "1"}, ["'k1'", "no options of its own"]),
        ("dense", {}, ["'model'", "required"]),
        ("dense", {"model": "m", "truncate": "0"}, ["from 1 to ∞"]),
        ("dense", {"model": "m", "steps": "1,0"}, ["from 1 to ∞"]),
        ("dense", {"model": "m", "mode": "l2"}, ["one of dot, cos"]),
        ("dense", {"model": "m", "mode": "cos", "truncate": "1"}, ["dense", "one dimension"]),
        ("dense", {"model": "m", "preset": "x"}, ["no preset", "known: none"]),
        ("cascade", {}, ["'base'", "required"]),
        ("cascade", {"base": "bm25", "base.k3": "1"}, ["bm25", "'k3'"]),
        ("fusion", {"parts": "bm25,"}, ["separated by commas"]),
        ("fusion", {"parts": "bm25,dense", "parts.bm52.k1": "1"}, ["parts.bm52.k1", "bm25, dense"]),
        ("fusion", {"parts": "bm25,bm25", "parts.bm25.k1": "1"}, ["POSITION"]),  # which of the two is meant?
    ],
)
def test_wrong_option_is_refused_by_name(registry, name, options, words):
    with pytest.raises(ConfigError) as caught:
        use(registry, ("retriever",), name, options)
    for word in words:
        assert word in str(caught.value)


def test_preset_gives_way_to_options_beside_it(registry):
    assert config(registry, "bm25", preset="atire") == Bm25Config(k1=1.2, b=0.75)
    assert config(registry, "bm25", preset="atire", b="0.1") == Bm25Config(k1=1.2, b=0.1)


def test_nested_plugin_takes_its_own_options(registry):
    chosen = use(registry, ("retriever",), "cascade", {"base": "bm25", "base.k1": "1.5", "depth": "50"})
    base = Use("retriever", "bm25", Bm25Config(k1=1.5))
    assert chosen == Use("retriever", "cascade", CascadeConfig(base=base, depth=50))
    assert uses(chosen) == [chosen, base]


def test_nesting_goes_as_deep_as_it_is_written(registry):
    options = {"base": "cascade", "base.base": "bm25", "base.base.k1": "2", "base.base.preset": "atire"}
    inner = use(registry, ("retriever",), "cascade", options).config.base.config.base
    assert inner.config == Bm25Config(k1=2.0, b=0.75)


def test_several_nested_plugins_by_name_and_position(registry):
    chosen = config(registry, "fusion", parts="bm25,dense", parts__bm25__k1="1.5", parts__1__model="m")
    assert [part.name for part in chosen.parts] == ["bm25", "dense"]
    assert chosen.parts[0].config.k1 == 1.5
    assert chosen.parts[1].config.model == "m"
    twice = config(registry, "fusion", parts__1__k1="2")
    assert [part.config.k1 for part in twice.parts] == [0.9, 2.0]


def test_optional_nested_plugin(registry):
    assert config(registry, "fusion").spare is None
    assert config(registry, "fusion", spare="bm25", spare__b="0.2").spare.config.b == 0.2


def test_nested_plugin_must_be_of_its_kind(registry):
    with pytest.raises(PluginNotFound, match="no retriever named 'judge'"):
        use(registry, ("retriever",), "cascade", {"base": "judge"})
    with pytest.raises(PluginNotFound, match="did you mean bm25"):
        use(registry, ("retriever",), "cascade", {"base": "bm52"})


def test_config_as_json_and_digest(registry):
    chosen = config(registry, "cascade", base="dense", base__model="m", base__truncate="none")
    values = as_json(chosen)
    dense = {"model": "m", "truncate": None, "mode": "dot", "steps": [1, 2]}
    assert values == {"base": {"plugin": "dense", "config": dense}, "depth": 100}
    assert digest(values) == digest(dict(reversed(values.items())))
    assert digest(values) != digest(values | {"depth": 101})
    assert checkpoints(chosen.base.config) == ["m"]
    assert checkpoints(chosen) == []


def test_config_cannot_be_changed(registry):
    with pytest.raises(dataclasses.FrozenInstanceError):
        config(registry, "bm25").k1 = 1.0


def test_parse_of_a_card(registry):
    assert parse(registry, CARDS[0], {"k1": "1"}) == Bm25Config(k1=1.0)


def test_pairs():
    assert pairs(["a=1", "b=x=y", "c="], "-o") == {"a": "1", "b": "x=y", "c": ""}
    for wrong in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(ConfigError, match="-o"):
            pairs(wrong, "-o")


@pytest.mark.parametrize("text", ["9" * 400, "-" + "9" * 30, str(1 << 63)])
def test_whole_numbers_that_no_database_holds_are_refused(text):
    card = Card(name="dense", kind="retriever", summary="", method="", config=DenseConfig)
    with pytest.raises(ConfigError, match="expects a value from"):
        parse(Registry([]), card, {"model": "m", "truncate": text})


@pytest.mark.parametrize("text", ["a=b\0c", "a=\udcff", "\udcff=1"])
def test_options_that_no_database_holds_are_refused(text):
    with pytest.raises(ConfigError, match="UTF-8 without NUL"):
        pairs([text], "-o")
