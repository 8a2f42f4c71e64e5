"""A suite file is one that can be run, or is refused with the key that is wrong."""

import re
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import strategies as st

from harness.plugins import registry
from harness.suites import load_suite, suite_files

pytestmark = pytest.mark.timeout(3600)

CLOSED = b"""name = "tiny"
title = "Tiny, closed"
division = "closed"
measure = "nDCG@10"
seeds = [0, 1]
tasks = ["beir:a", "beir:b"]
groups = {both = ["beir:a", "beir:b"]}
published = [{method = "BM25", measure = "nDCG@10", task = "beir:a", value = 0.5, source = "a paper"}]
methods = [{plugin = "margin-mse", teacher = "cross-encoder", seeds = [3], options = {batch = "8"}}]

[training]
tasks = ["beir:a"]
student = "pip:some-model"
budget = {steps = 10, seconds = 1.5}
teachers = [{plugin = "cross-encoder", options = {model = "x"}}]
options = {learning_rate = "1e-3"}
"""
VALUES = [
    '""',
    '"x"',
    '"\\u0000"',
    "-1",
    "0",
    "1e400",
    "nan",
    "inf",
    "[]",
    "[[]]",
    "{}",
    "true",
    "1979-05-27",
    "9" * 30,
]


@st.composite
def another_value(draw) -> bytes:
    """A file of which one value is another."""
    text = CLOSED.decode()
    found = draw(st.sampled_from(list(re.finditer(r"= ([^,{}\[\]\n]+)", text))))
    return (text[: found.start(1)] + draw(st.sampled_from(VALUES)) + text[found.end(1) :]).encode()


def test_suites(fuzz, mutations, tmp_path):
    known, file = registry(), tmp_path / "tiny.toml"
    real = [path.read_bytes() for path in sorted(map(Path, suite_files(known).values()))]
    contents = st.sampled_from([CLOSED, *real]).flatmap(mutations.spoiled)

    def take(content: bytes) -> None:
        file.write_bytes(content)
        suite = load_suite(known, str(file))
        assert suite.tasks
        assert all(seed >= 0 for seed in suite.seeds)
        assert (suite.training is None) == (suite.division == "open")
        assert "nan" not in str(asdict(suite)["published"])
        assert "inf" not in str(asdict(suite)["training"])

    fuzz("suite", st.one_of(contents, another_value(), mutations.spoiled(CLOSED)), take)
