"""`-o` and `--budget` give a configuration that can be stored and made again, or are refused by name."""

import dataclasses
import json

import pytest
from hypothesis import strategies as st

from harness.config import as_json, digest, pairs, use
from harness.plugins import registry
from harness.runner.choose import Lessons, budget, choose
from harness.runner.record import options

pytestmark = pytest.mark.timeout(3600)

TEXTS = ["", "none", "None", "true", "1", "-1", "0", "0.5", "1e-3", "nan", "inf", "-inf", "1e400", "1_0", "٣", " 1 "]
TEXTS += ["9" * 30, "9" * 400, "9" * 5000, "0x1", "1,2", ",", "a,,b", "bm25", "bm25,dense", "dense", "cross-encoder"]
TEXTS += ["\0", "a\nb", "\ud800", "x" * 5000, "'; DROP TABLE evaluations; --", "$(touch x)", "../../x", "/etc/passwd"]
TEXTS += ["endpoint:https://u:p@host/v1#m", "endpoint:http://[::1/v1#m", "trained:../../x", "a[layers=0]"]
values = st.one_of(st.sampled_from(TEXTS), st.text(max_size=20), st.floats().map(str), st.integers().map(str))


def knobs(registry, cards) -> dict[str, list[str]]:
    """Options by plugin, those of the plugins that are nested by default too."""
    found: dict[str, list[str]] = {}
    for card in cards:
        fields = dataclasses.fields(card.config)
        nested = [field.name for field in fields if field.metadata.get("nested")]
        further = [f"{name}.{rest}" for name in nested for rest in ("model", "k1", "0.k1", "bm25.k1", "odd")]
        found[card.name] = [*(field.name for field in fields), *further, "preset", "odd", ""]
    return found


def test_options(fuzz):
    known = registry()
    cards = [card for kind in ("retriever", "distiller") for card, _ in known.cards(kind)]
    names = knobs(known, cards)

    @st.composite
    def given(draw):
        card = draw(st.sampled_from(cards))
        option = st.builds("{}={}".format, st.sampled_from(names[card.name]), values)
        return card, draw(st.lists(st.one_of(option, st.text(max_size=10)), min_size=1, max_size=3))

    def take(chosen) -> None:
        card, texts = chosen
        (method,) = choose(known, [card.name], pairs(texts, "-o"), Lessons())
        json.dumps(as_json(method.use.config), allow_nan=False)
        digest(as_json(method.use.config))
        assert use(known, (card.kind,), card.name, options(method.use)) == method.use, "its command makes another"

    fuzz("-o", given(), take)


def test_budgets(fuzz):
    limit = st.builds(
        "{}={}".format, st.sampled_from(["steps", "examples", "seconds", "teacher_calls", "odd", ""]), values
    )

    def take(texts: list[str]) -> None:
        found = dataclasses.asdict(budget(pairs(texts, "--budget")))
        assert all(value is None or 0 < value < float("inf") for value in found.values())
        again = [f"{name}={value}" for name, value in found.items() if value is not None]
        assert dataclasses.asdict(budget(pairs(again, "--budget"))) == found

    fuzz("--budget", st.lists(limit, min_size=1, max_size=3), take)
