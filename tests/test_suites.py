"""Suite files: what they say, and every mistake in them named."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.plugins import Registry, Source
from harness.records import Budget
from harness.suites import Published, Suite, SuiteMethod, SuiteTeacher, SuiteTraining, load_suite, suite_files

GOOD = """
name = "mine"
title = "My suite"
division = "closed"
tasks = ["beir:nfcorpus", "stdlib-docs", "a", "b"]
measure = "RR@10"
seeds = [0, 1]
[groups]
pair = ["a", "b"]
[training]
tasks = ["a"]
student = "tiny"
options = {batch = "16"}
[training.budget]
steps = 300
[[training.teachers]]
plugin = "embedder"
options = {model = "trained:big"}
[[methods]]
plugin = "dpr"
name = "big"
role = "ceiling"
student = "large"
seeds = [0]
[[published]]
method = "BM25"
measure = "RR@10"
average = "all"
value = 0.5
source = "Table 1"
[[published]]
method = "BM25"
measure = "RR@10"
task = "a"
value = 1
source = "Table 2"
"""
SHORT = 'name = "s"\ntitle = "S"\ntasks = ["a"]\n'


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_file_is_read_as_written(tmp_path: Path):
    assert load_suite(Registry([]), write(tmp_path / "mine.toml", GOOD)) == Suite(
        name="mine",
        title="My suite",
        division="closed",
        tasks=("beir:nfcorpus", "stdlib-docs", "a", "b"),
        measure="RR@10",
        seeds=(0, 1),
        groups={"pair": ("a", "b")},
        published=(
            Published(method="BM25", measure="RR@10", average="all", value=0.5, source="Table 1"),
            Published(method="BM25", measure="RR@10", task="a", value=1.0, source="Table 2"),
        ),
        training=SuiteTraining(
            tasks=("a",),
            student="tiny",
            budget=Budget(steps=300),
            teachers=(SuiteTeacher(plugin="embedder", options={"model": "trained:big"}),),
            options={"batch": "16"},
        ),
        methods=(SuiteMethod(plugin="dpr", name="big", role="ceiling", student="large", seeds=(0,)),),
    )


@pytest.mark.parametrize("text", [SHORT + 'division = "closed"\n', GOOD.replace("closed", "open")])
def test_a_closed_suite_and_no_other_fixes_the_training(tmp_path: Path, text: str):
    with pytest.raises(ConfigError, match="a closed suite has a table 'training'"):
        load_suite(Registry([]), write(tmp_path / "mine.toml", text))


def test_what_may_be_left_out(tmp_path: Path):
    suite = load_suite(Registry([]), write(tmp_path / "s.toml", SHORT))
    assert (suite.division, suite.measure, suite.seeds, suite.published) == ("open", "nDCG@10", (0,), ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "TOML"),
        (SHORT + 'tittle = "x"\n', "did you mean 'title'"),
        (SHORT + "xyz = 1\n", "known: name"),
        ('name = "s"\ntasks = ["a"]\n', "'title' is missing"),
        (SHORT.replace('["a"]', "[]"), "each named once"),
        (SHORT.replace('["a"]', '["a", "a"]'), "each named once"),
        (SHORT.replace('["a"]', '"a"'), "tasks: expected a list"),
        (SHORT.replace('["a"]', '["a", ""]'), "not empty"),
        (SHORT.replace('["a"]', '["a", 1]'), "got 1"),
        (SHORT + 'division = "ajar"\n', "one of open, closed"),
        (SHORT + "seeds = [0.5]\n", "a whole number"),
        (SHORT + "seeds = [true]\n", "a whole number"),
        (SHORT + "seeds = [-1]\n", "a whole number from 0, got -1"),
        (SHORT + f"seeds = [{10**30}]\n", "a whole number"),
        (SHORT + '[[published]]\nmethod="x"\nmeasure="y"\nsource="z"\nvalue=nan\n', "value: expected a number"),
        (SHORT + "seeds = 1\n", "a list"),
        (SHORT + "groups = 1\n", "a table"),
        (SHORT + '[groups]\nx = ["b"]\n', "'b'"),
        (SHORT + '[groups]\nx = ["a"]\ny = ["a"]\n', "in one group"),
        (SHORT + "published = 1\n", "published: expected a list"),
        (SHORT + "published = [1]\n", "published: expected a table"),
        (SHORT + '[[published]]\nmethod = "x"\n', "published: key 'measure' is missing"),
        (SHORT + '[[published]]\nmetod = "x"\n', "did you mean 'method'"),
        (SHORT + '[[published]]\nmethod="x"\nmeasure="y"\nsource="z"\nvalue="0.5"\n', "value: expected a number"),
        (SHORT + '[[published]]\nmethod="x"\nmeasure="y"\nsource="z"\nvalue=1\n', "or an average"),
        (SHORT + '[[published]]\nmethod="x"\nmeasure="y"\nsource="z"\nvalue=1\ntask="b"\n', "'b'"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, message: str):
    with pytest.raises(ConfigError, match=message):
        load_suite(Registry([]), write(tmp_path / "s.toml", text))


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load_suite(Registry([]), str(tmp_path / "none.toml"))


def plugin(folder: Path, name: str, suite: Path) -> Source:
    (folder / f"{name}.py").write_text(
        f"from harness import hookimpl\n@hookimpl\ndef harness_suites():\n    return {{'mine': {str(suite)!r}}}\n"
    )
    return Source(name, name, "1.0", EntryPoint(name, name, "harness"))


def test_suites_of_plugins_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(tmp_path)
    write(tmp_path / "mine.toml", GOOD)
    one = plugin(tmp_path, "suite_one", tmp_path / "mine.toml")
    assert load_suite(Registry([one]), "mine").title == "My suite"
    with pytest.raises(ConfigError, match="did you mean mine"):
        load_suite(Registry([one]), "mien")
    both = Registry([one, plugin(tmp_path, "suite_two", tmp_path / "mine.toml")])
    with pytest.raises(ConfigError, match="two plugins"):
        suite_files(both)
