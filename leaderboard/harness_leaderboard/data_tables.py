"""The data files that are lists of records, each field with its meaning: evaluations, and what they share."""

from typing import Any

from harness_leaderboard.fields import (
    NUMBERS,
    OBJECT,
    TEXT,
    TEXTS,
    TRUTH,
    WHOLE,
    Field,
    Table,
    one_of,
)
from harness_leaderboard.published import stem


def _own(name: str, meaning: str, schema: Any = TEXT, *, flat: bool = True) -> Field:
    """A field that an evaluation has under the same name."""
    return Field(name=name, meaning=meaning, schema=schema, flat=flat, value=lambda _, e: getattr(e, name))


def _part(name: str, meaning: str, schema: Any = TEXT) -> Field:
    """A part of a value that stands once, under its digest."""
    return Field(name=name, meaning=meaning, schema=schema, value=lambda _, found: found[1][name])


_DIGEST = Field(name="id", meaning="What evaluations refer to.", schema=TEXT, value=lambda _, found: found[0])

EVALUATIONS = Table(
    name="evaluations",
    meaning="Every stored evaluation, those that failed included.",
    fields=(
        _own("id", "Identity of the evaluation: equal work, equal id."),
        _own("state", "`done` or `failed`.", one_of("done", "failed")),
        Field(
            name="shown",
            meaning="Whether the board's figures are made of it; if not, it failed or newer code was evaluated since.",
            value=lambda at, e: e.id in at.board.shown,
            schema=TRUTH,
            flat=True,
        ),
        Field(
            name="row",
            meaning="Its method with configuration, in methods.json: a row of the board.",
            value=lambda at, e: at.method(e),
            schema=TEXT,
            flat=True,
        ),
        Field(
            name="column",
            meaning="Its task with content, in tasks.json: a column of the board.",
            value=lambda at, e: at.task(e),
            schema=TEXT,
            flat=True,
        ),
        Field(name="method", meaning="The plugin's name.", value=lambda _, e: e.method.name, schema=TEXT, flat=True),
        Field(
            name="kind",
            meaning="Retriever, teacher or distiller.",
            value=lambda _, e: e.method.kind,
            schema=TEXT,
            flat=True,
        ),
        Field(
            name="distribution",
            meaning="Package that provides it.",
            value=lambda _, e: e.method.distribution,
            schema=TEXT,
            flat=True,
        ),
        Field(
            name="version",
            meaning="Version of that package.",
            value=lambda _, e: e.method.version,
            schema=TEXT,
            flat=True,
        ),
        Field(
            name="implementation",
            meaning="Digest of its source code.",
            value=lambda _, e: e.method.implementation,
            schema=TEXT,
            flat=True,
        ),
        Field(name="card", meaning="Its card, in cards.json.", value=lambda at, e: at.cards.digest(e), schema=TEXT),
        _own("config_digest", "Identifies the configuration."),
        _own("checkpoints", "Each named checkpoint and the identity of its content.", OBJECT, flat=False),
        Field(name="task", meaning="Name of the task.", value=lambda _, e: e.task.name, schema=TEXT, flat=True),
        Field(
            name="split", meaning="Split that was evaluated.", value=lambda _, e: e.task.split, schema=TEXT, flat=True
        ),
        Field(
            name="fingerprint",
            meaning="Digest of the split's content.",
            value=lambda _, e: e.task.fingerprint,
            schema=TEXT,
            flat=True,
        ),
        _own("seed", "Where all chance came from.", WHOLE),
        _own("division", "`closed`: a suite fixed all but the method."),
        _own("suite", "The suite it ran under, if any."),
        _own(
            "role", "In a suite: `method`, `control` (labels alone), `ceiling` (the teacher), `untrained`, `baseline`."
        ),
        Field(
            name="training",
            meaning="How a distilled retriever was made, in trainings.json; empty for any other.",
            value=lambda at, e: at.trainings.digest(e),
            schema=TEXT,
        ),
        _own("first_stages", "Ids of the evaluations whose runs it started from.", TEXTS, flat=False),
        _own("device", "Name of the registered device."),
        Field(
            name="calibration",
            meaning="The device as it was measured then, in devices.json.",
            value=lambda at, e: at.devices.digest(e),
            schema=TEXT,
        ),
        Field(
            name="environment",
            meaning="What it ran in, in environments.json.",
            value=lambda at, e: at.environments.digest(e),
            schema=TEXT,
        ),
        _own("harness_version", "Version of the harness."),
        Field(name="started", meaning="Begin, UTC.", value=lambda _, e: e.started.isoformat(), schema=TEXT, flat=True),
        Field(name="finished", meaning="End, UTC.", value=lambda _, e: e.finished.isoformat(), schema=TEXT, flat=True),
        _own("command", "The command that makes it again."),
        _own("error", "Why it failed; empty for what is done."),
        _own(
            "measures",
            "Means over all queries, by the names of ir_measures; in CSV one column each, `measure:NAME`.",
            NUMBERS,
            flat=False,
        ),
        _own("cost", "Costs by name with unit; in CSV one column each, `cost:NAME`.", NUMBERS, flat=False),
        Field(
            name="per_query",
            meaning="File with the value of every query, below `data/`; empty for what failed.",
            value=lambda at, e: f"{path}.js" if (path := at.board.per_query_files.get(e.id)) else "",
            schema=TEXT,
            flat=True,
        ),
    ),
)

METHODS = Table(
    name="methods",
    meaning="Every method with its configuration: a row of the board.",
    fields=(
        Field(name="id", meaning="What evaluations refer to.", value=lambda _, m: stem(m.page), schema=TEXT),
        Field(name="method", meaning="The plugin's name.", value=lambda _, m: m.name, schema=TEXT),
        Field(name="apart", meaning="What tells it from the plugin's others.", value=lambda _, m: m.apart, schema=TEXT),
        Field(name="kind", meaning="Retriever, teacher or distiller.", value=lambda _, m: m.record.kind, schema=TEXT),
        Field(name="config_digest", meaning="Identifies the configuration.", value=lambda _, m: m.key[1], schema=TEXT),
        Field(
            name="config",
            meaning="The whole configuration.",
            value=lambda _, m: m.config,
            schema=OBJECT,
        ),
        Field(name="page", meaning="Its page on the site.", value=lambda _, m: m.page, schema=TEXT),
    ),
)

TASKS = Table(
    name="tasks",
    meaning="Every split with its content: a column of the board.",
    fields=(
        Field(name="id", meaning="What evaluations refer to.", value=lambda _, t: stem(t.page), schema=TEXT),
        Field(name="task", meaning="Its name.", value=lambda _, t: t.record.name, schema=TEXT),
        Field(name="split", meaning="The split.", value=lambda _, t: t.record.split, schema=TEXT),
        Field(
            name="fingerprint", meaning="Digest of its content.", value=lambda _, t: t.record.fingerprint, schema=TEXT
        ),
        Field(name="main", meaning="The measure that ranks.", value=lambda _, t: t.main, schema=TEXT),
        Field(
            name="facts",
            meaning="What it measures, splits, counts, languages, licence, source.",
            value=lambda _, t: t.record.facts,
            schema=OBJECT,
        ),
        Field(
            name="queries",
            meaning="File with the ids of its queries, below `data/`.",
            value=lambda at, t: f"{at.board.queries_files[t.key]}.js",
            schema=TEXT,
        ),
        Field(name="page", meaning="Its page on the site.", value=lambda _, t: t.page, schema=TEXT),
    ),
)

CARDS = Table(
    name="cards",
    meaning="Every version of a plugin's code, with the card that it had.",
    fields=(
        _DIGEST,
        _part("name", "The plugin's name."),
        _part("kind", "Retriever, teacher or distiller."),
        _part("distribution", "Package that provides it."),
        _part("version", "Version of that package."),
        _part("implementation", "Digest of its source code."),
        _part("card", "Summary, family, paper, deviations, claims, options.", OBJECT),
    ),
)

TRAININGS = Table(
    name="trainings",
    meaning="Every training of a student.",
    fields=(
        _DIGEST,
        Field(
            name="training",
            meaning="Lesson, student, teachers, tasks, candidates, account, trials.",
            value=lambda _, found: found[1],
            schema=OBJECT,
        ),
    ),
)

DEVICES = Table(
    name="devices",
    meaning="Every device, as it was measured at a time.",
    fields=(
        _DIGEST,
        _part("device", "Name of the registered device."),
        _part("calibration", "Measured rates.", NUMBERS),
    ),
)

ENVIRONMENTS = Table(
    name="environments",
    meaning="Everything that evaluations ran in.",
    fields=(
        _DIGEST,
        Field(
            name="environment",
            meaning="Packages, Python, system, processor, driver.",
            value=lambda _, found: found[1],
            schema=OBJECT,
        ),
    ),
)

TABLES = (EVALUATIONS, METHODS, TASKS, CARDS, TRAININGS, DEVICES, ENVIRONMENTS)
"""In the order in which they are documented."""
