"""`harness plugins list / show / check` on plugins that work."""

import json
from pathlib import Path

import pytest

TOYS = Path(__file__).parent.parent / "testing" / "toys"

FULL = '''
from dataclasses import dataclass
from typing import Literal
from harness import Card, Claim, Paper, Use, hookimpl, knob

@dataclass(frozen=True, kw_only=True)
class Config:
    """Options."""

    model: str = knob(..., "checkpoint", checkpoint=True)
    k1: float = knob(0.9, "saturation of term frequency", paper=1.2, low=0, high=10)
    depth: int = knob(100, "documents reranked", unit="documents")
    mode: Literal["sum", "max"] = knob("sum", "pooling")
    base: Use = knob("good", "first stage", nested="retriever")

CARD = Card(
    name="full", kind="retriever", summary="Everything a card can say.", method="m:f", config=Config, family="sparse",
    paper=Paper(title="A title", authors="Doe and Roe", year=2021, venue="SIGIR", url="https://example.org/p"),
    presets={"fast": {"depth": "10", "mode": "max"}},
    deviations=("No stemming.",),
    claims=(Claim(dataset="NFCorpus", measure="nDCG@10", value=0.325, source="Table 2"),),
)

@hookimpl
def harness_retrievers():
    return [CARD]
'''


def test_list_by_kind(site):
    site.add("good")
    site.add("bad", "import no_such_module_xyz")
    retrievers, tasks = site.rows("--kind", "retriever"), site.rows("--kind", "task")
    assert {name for name, _ in retrievers} == {"good", "bad"}
    assert {name for name, _ in tasks} == {"bad"}  # what is broken may be of any kind
    wanted = {"name": "good", "kind": "retriever", "distribution": "harness-good", "version": "1.0", "state": "ok"}
    assert retrievers["good", "harness-good"].items() >= wanted.items()
    table = site.harness("plugins", "list").stdout.splitlines()
    (line,) = [line for line in table if line.startswith("good ")]
    assert line.split()[:5] == ["good", "retriever", "harness-good", "1.0", "ok"]


def test_list_of_a_hundred(site):
    for number in range(100):
        site.add(f"method-{number}")
    rows = site.rows()
    assert len(rows) == 100
    assert {row["state"] for row in rows.values()} == {"ok"}


def test_show_as_json_has_every_option(site):
    site.add("good")
    site.add("full", FULL)
    facts = json.loads(site.harness("plugins", "show", "full", "--format", "json").stdout)
    knobs = {knob["name"]: knob for knob in facts["knobs"]}
    assert list(knobs) == ["model", "k1", "depth", "mode", "base"]
    assert "default" not in knobs["model"]
    assert knobs["k1"].items() >= {"type": "float", "default": 0.9, "paper": 1.2, "low": 0, "high": 10}.items()
    assert knobs["depth"]["unit"] == "documents"
    assert knobs["mode"]["type"] == "sum | max"
    assert knobs["base"].items() >= {"type": "retriever", "default": "good"}.items()
    assert facts["claims"][0].items() >= {"dataset": "NFCorpus", "measure": "nDCG@10", "value": 0.325}.items()
    assert facts["deviations"] == ["No stemming."]
    assert facts["distribution"] == "harness-full"


def test_show_as_text_has_paper_presets_figures_and_deviations(site):
    site.add("full", FULL)
    text = site.harness("plugins", "show", "full").stdout
    for words in (
        "A title. Doe and Roe, SIGIR 2021. https://example.org/p",
        "required",
        "saturation of term frequency (0 to 10)",
        "1.2",
        "-o depth=10 -o mode=max",
        "0.325",
        "Table 2",
        "No stemming.",
    ):
        assert words in text


def test_unknown_plugin_names_the_nearest(site):
    site.add("good")
    assert "did you mean good" in site.harness("plugins", "show", "godo", status=2).stderr


@pytest.mark.parametrize("name", ["wrong", "wrong-teacher", "wrong-distiller", "wrong-task"])
def test_check_of_a_sound_plugin(site, name):
    done = site.harness("plugins", "check", name, PYTHONPATH=str(TOYS))
    assert f"{name}: sound" in done.stdout
    assert "FAILED" not in done.stdout


def test_check_prints_what_failed_and_exits_1(site):
    words = ["plugins", "check", "wrong", "-o", "fault=nan when nothing is known"]
    out = site.harness(*words, status=1, PYTHONPATH=str(TOYS)).stdout
    (failed,) = [line for line in out.splitlines() if line.startswith("FAILED")]
    assert "odd_queries_are_answered" in failed
    assert "NaN" in failed
    assert "1 of 14 checks failed" in out


def test_check_leaves_out_what_it_is_told_to(site):
    words = ["plugins", "check", "wrong", "-o", "fault=ranks by chance"]
    site.harness(*words, status=1, PYTHONPATH=str(TOYS))
    assert "skipped finds_relevant" in site.harness(*words, "--skip", "finds_relevant", PYTHONPATH=str(TOYS)).stdout
    assert "no check named" in site.harness(*words, "--skip", "no_such", status=2, PYTHONPATH=str(TOYS)).stderr


def test_check_stops_where_the_plugin_cannot_be_built(site):
    site.add("good")  # its method module is empty
    out = site.harness("plugins", "check", "good", status=1).stdout
    assert out.count("FAILED") == 1
    assert "harness_good.method:Method" in out


def test_check_with_another_teacher(site):
    words = ["plugins", "check", "wrong-distiller", "--teacher", "wrong-teacher"]
    assert "sound" in site.harness(*words, "-o", "teacher.length=9", PYTHONPATH=str(TOYS)).stdout
    assert "'length'" in site.harness(*words, "-o", "teacher.lenght=9", status=2, PYTHONPATH=str(TOYS)).stderr


def test_wrong_options_are_refused_before_anything_is_checked(site):
    done = site.harness("plugins", "check", "wrong", "-o", "falt=nan", status=2, PYTHONPATH=str(TOYS))
    assert done.stdout == ""
    assert "'fault'" in done.stderr
