"""Tasks from BEIR, ir_datasets and MTEB by their names there, one that needs no download, and suites of them."""

from dataclasses import dataclass
from pathlib import Path

from harness import Card, hookimpl, knob


@dataclass(frozen=True, kw_only=True)
class BeirConfig:
    """Which BEIR data set."""

    dataset: str = knob(help="name in BEIR (nfcorpus, cqadupstack/android …), or a folder in BEIR layout (./mine)")


@dataclass(frozen=True, kw_only=True)
class IrdsConfig:
    """Which data set of ir_datasets."""

    id: str = knob(help="id in ir_datasets, such as vaswani or beir/nfcorpus/test")


@dataclass(frozen=True, kw_only=True)
class MtebConfig:
    """Which task of MTEB."""

    task: str = knob(help="retrieval or reranking task of MTEB, such as NFCorpus, or MIRACLReranking/de for a subset")


BEIR = Card(
    name="beir",
    kind="task",
    summary="A data set of the BEIR benchmark by name, or any folder in BEIR layout.",
    method="harness_tasks.from_beir:build",
    config=BeirConfig,
)
IRDS = Card(
    name="irds",
    kind="task",
    summary="A data set of ir_datasets by id.",
    method="harness_tasks.from_irds:build",
    config=IrdsConfig,
)
MTEB = Card(
    name="mteb",
    kind="task",
    summary="A retrieval or reranking task of MTEB by name.",
    method="harness_tasks.from_mteb:build",
    config=MtebConfig,
)
STDLIB_DOCS = Card(
    name="stdlib-docs",
    kind="task",
    summary="Known-item search over the docstrings of the running Python's standard library; needs no download.",
    method="harness_tasks.stdlib_docs:build",
)


@hookimpl
def harness_tasks() -> list[Card]:
    """The families `beir:`, `irds:` and `mteb:`, and the task `stdlib-docs`."""
    return [BEIR, IRDS, MTEB, STDLIB_DOCS]


@hookimpl
def harness_suites() -> dict[str, str]:
    """The suites beside this file, by file name."""
    return {path.stem: str(path) for path in sorted((Path(__file__).parent / "suites").glob("*.toml"))}
