"""What the store keeps of an evaluation, as plain records: the only shapes that leave the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

State = Literal["done", "failed"]
Division = Literal["open", "closed", "external"]
Role = Literal["method", "control", "ceiling", "untrained", "baseline"]


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """A file that an evaluation left."""

    name: str
    """`run` (Parquet: query, document, score), `index` …"""
    path: str
    """Relative to `$HARNESS_HOME/artefacts`."""
    sha256: str
    """Of its content."""
    bytes: int
    """Its size."""


TOGETHER = "+"
"""Between the names of devices that work together on one evaluation."""


@dataclass(frozen=True, kw_only=True)
class DeviceRecord:
    """A device that evaluations run on, as it was registered; or several that work together, their names joined."""

    name: str
    """What the user calls it."""
    kind: Literal["cuda", "mps", "cpu"]
    """The torch backend."""
    torch_name: str
    """What torch calls it here and now, such as `cuda:0`; the same device may have another number tomorrow."""
    identity: str
    """UUID of a CUDA device, processor name of the others: what makes it this device."""
    model: str
    """Product name."""
    memory_bytes: int
    """Its memory."""
    driver: str
    """Driver version, empty for a CPU."""
    calibration: Mapping[str, float] = field(default_factory=dict[str, float])
    """Measured rates: `matmul_gflops`, `copy_gb_per_s`; empty if it was not calibrated."""
    registered: datetime
    """UTC."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of each of the devices."""
        return tuple(self.name.split(TOGETHER))

    @property
    def torch_names(self) -> tuple[str, ...]:
        """Of each of the devices."""
        return tuple(self.torch_name.split(TOGETHER))


@dataclass(frozen=True, kw_only=True)
class TaskRecord:
    """A task's split as it was evaluated; equal fingerprint, equal content."""

    fingerprint: str
    """`Task.fingerprint(split)`: identifies the record."""
    name: str
    """`TaskFacts.name`."""
    split: str
    """The split that was evaluated."""
    facts: Mapping[str, Any]
    """The other fields of `TaskFacts`, and counts: `documents`, `queries`, `judgements`."""
    query_ids: tuple[str, ...]
    """The queries, in the order of all per-query values."""
    query_texts: tuple[str, ...]
    """Their texts."""


@dataclass(frozen=True, kw_only=True)
class MethodRecord:
    """A method's code as it was evaluated."""

    implementation: str
    """Digest of the source of the plugin, of what is nested in it and of the harness's own rooms: identifies it."""
    name: str
    """`Card.name`."""
    kind: str
    """`Card.kind`."""
    distribution: str
    """The package that provides it."""
    version: str
    """Its version."""
    card: Mapping[str, Any]
    """The card as JSON values: summary, family, paper, deviations, claims, knobs."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One execution of a method on a task, with all that is needed to make it again."""

    id: str
    """First 16 hexadecimal digits of the sha256 over method, config, implementation, checkpoints, task
    fingerprint and seed: the same work has the same id everywhere. Of an external result, `x` and 15 digits of the
    sha256 over what it says: see `harness.store.external`."""
    state: State
    """`done`, or `failed` with an error."""
    method: MethodRecord
    """What ran."""
    config: Mapping[str, Any]
    """Its whole configuration, defaults and nested plugins included; of an external result, where it is from:
    `source`, and `url`, `revision`, `experiment` where they are known."""
    config_digest: str
    """Identifies the configuration."""
    checkpoints: Mapping[str, str]
    """What each named checkpoint resolved to: name → identity."""
    task: TaskRecord
    """What it ran on."""
    seed: int
    """All chance came from it."""
    division: Division = "open"
    """Closed: a suite fixed everything but the method. External: others say so, and nobody ran it here."""
    suite: str = ""
    """The suite it ran under, if any."""
    role: Role = "method"
    """What it is for in its suite: a method that is compared; the control, a student trained on labels alone; a
    ceiling, the teacher itself; the student untrained, as it came; a baseline that is no student, such as BM25."""
    first_stages: tuple[str, ...] = ()
    """Ids of the evaluations whose runs it started from."""
    device: str
    """Name of the registered device; empty if it is not known."""
    calibration: Mapping[str, float] = field(default_factory=dict[str, float])
    """The device's calibration at that time."""
    environment: Mapping[str, Any]
    """Packages, Python, OS, processor, driver, git; of an external result, the file that says it: `file`, `sha256`."""
    harness_version: str
    """Version of retrieval-harness."""
    command: str
    """The command that makes it again."""
    started: datetime
    """UTC."""
    finished: datetime
    """UTC."""
    measures: Mapping[str, float] = field(default_factory=dict[str, float])
    """Mean over all queries by ir_measures name; empty if it failed."""
    per_query: Mapping[str, tuple[float, ...]] = field(default_factory=dict[str, tuple[float, ...]])
    """Values by measure, aligned with `task.query_ids`; both are empty where only the means are known."""
    cost: Mapping[str, float] = field(default_factory=dict[str, float])
    """Name with unit → value: `index_seconds`, `search_seconds`, `query_p50_ms`, `query_p95_ms`, `index_bytes`,
    `peak_memory_bytes`, `parameters`, `teacher_seconds`, `train_seconds`, `batches_halved` (those that didn't fit into
    memory) …, first stages
    included (`own_…` is without them); what was not measured is absent."""
    training: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """How a distilled retriever was made, empty for any other: `lesson` (id), `student`, `teachers` (names), `tasks`
    (names), `candidates` (sha256 of the list), `account` (`steps`, `examples`, `seconds`), `curves` (stage → loss of
    every optimiser step), `trials` (what was tried on dev splits); evaluations of one training share its lesson."""
    artefacts: tuple[Artefact, ...] = ()
    """Files it left."""
    error: str = ""
    """Why it failed."""
