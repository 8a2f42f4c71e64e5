"""`data/schema.json`: a JSON Schema of every data file, made of what the files themselves are made of."""

from typing import Any

from harness_leaderboard.data_tables import TABLES
from harness_leaderboard.external import EXTERNAL
from harness_leaderboard.fields import NUMBER, TEXT, TEXTS, TRUTH, WHOLE, Schema, listed, maybe
from harness_leaderboard.json_files import File, compact


def exactly(meaning: str, **parts: Schema) -> Schema:
    """An object with these entries and no other."""
    return {
        "type": "object",
        "description": meaning,
        "properties": parts,
        "required": list(parts),
        "additionalProperties": False,
    }


def keyed(schema: Schema) -> Schema:
    """An object with any keys, each with such a value."""
    return {"type": "object", "additionalProperties": schema}


def _said(schema: Schema, meaning: str) -> Schema:
    return {"description": meaning, **schema}


_QUERIES = exactly(
    "A task's queries.",
    query_ids=_said(TEXTS, "In the order of all values by query."),
    texts=_said(TEXTS, "Of the queries, in the same order; empty if they are not published or not known."),
)

_PER_QUERY = exactly(
    "The values of every query of an evaluation.",
    evaluation=_said(TEXT, "Its id."),
    queries=_said(TEXT, "File with the ids of the queries, below `data/`, without `.js`."),
    values=_said(keyed(listed(NUMBER)), "By measure, in the order of the ids."),
)

_SUITE_CELL = exactly(
    "A method on a task.",
    value=_said(maybe(NUMBER), "Mean of the task's main measure over queries and seeds; null if any seed is missing."),
    spread=_said(maybe(NUMBER), "Sample standard deviation over seeds."),
    p=_said(maybe(NUMBER), "Against the control, adjusted."),
)

_SUITE_ROW = exactly(
    "A method with all its seeds.",
    method=_said(TEXT, "The plugin's name."),
    options=_said(TEXT, "What tells it from the plugin's others."),
    role=_said(TEXT, "`method`, `control`, `ceiling`, `untrained` or `baseline`."),
    mean=_said(maybe(NUMBER), "Over tasks and seeds; null if anything is missing."),
    spread=_said(maybe(NUMBER), "Sample standard deviation of that mean over seeds."),
    seeds=_said(listed(WHOLE), "Those that it has, or should have."),
    gap_share=_said(maybe(NUMBER), "Part of the gap between control and ceiling that it closed."),
    control=_said(maybe(TEXT), "What it is held against."),
    ceiling=_said(maybe(TEXT), "The teacher at the other end."),
    cost=_said(keyed(maybe(NUMBER)), "Of one training, and of use."),
    missing=_said(TEXTS, "What is not there, in words."),
    tasks=_said(keyed(_SUITE_CELL), "By task."),
)

_SUITE = exactly(
    "The table of a closed suite.",
    suite=_said(TEXT, "Its name."),
    division=_said(TEXT, "Its division."),
    measures=_said(TEXTS, "Main measures of its tasks."),
    tasks=_said(TEXTS, "Its tasks, in the order of the columns."),
    rows=listed(_SUITE_ROW),
)

_TABLE: Schema = {
    "type": "object",
    "description": "What the overview shows of a section.",
    "properties": {
        "title": _said(TEXT, "Division and suite."),
        "caption": _said(TEXT, "What the measures are means of."),
        "columns": listed(
            {
                "type": "object",
                "description": "A column; values of the kinds `measure`, `share` and `number` are numbers.",
                "properties": {"id": TEXT, "label": TEXT, "kind": TEXT, "unit": TEXT, "shown": TRUTH, "filter": TRUTH},
                "required": ["id", "label", "kind"],
            }
        ),
        "rows": listed(
            {
                "type": "object",
                "description": "A method with its configuration, best mean first.",
                "properties": {
                    "label": _said(TEXT, "Its name and what tells it from others."),
                    "page": _said(TEXT, "Its page on the site."),
                    "values": _said(
                        {"type": "array"},
                        "In the order of the columns; measures and shares to 5 decimals, null for what is missing.",
                    ),
                },
                "required": ["label", "page", "values"],
            }
        ),
    },
    "required": ["title", "columns", "rows"],
}

_COMPARE = exactly(
    "What can be compared.",
    sections=listed(
        exactly(
            "A section of the board.",
            anchor=_said(TEXT, "Its place on the overview."),
            title=_said(TEXT, "Division and suite."),
            tasks=listed(exactly("A task.", key=TEXT, label=TEXT, file=_said(TEXT, "Its methods, below `data/`."))),
        )
    ),
)

_COMPARED = exactly(
    "The methods that can be compared on a task.",
    main=_said(TEXT, "The measure that ranks."),
    measures=_said(TEXTS, "Those that all have."),
    queries=_said(TEXT, "File with the ids of the queries."),
    methods=listed(
        exactly(
            "A method, the best first.",
            key=_said(TEXT, "Its id in methods.json."),
            label=_said(TEXT, "Its name and what tells it from others."),
            page=_said(TEXT, "Its page on the site."),
            values=_said(TEXTS, "Files with its values by query, one a seed."),
            top=_said(maybe(TEXT), "File with the top of its first seed's run; null if that is not at hand."),
        )
    ),
)

_TOP = exactly(
    "What stood at the top of a run.",
    queries=keyed(_said(listed({"type": "array"}), "Id and grade of each document, the best first; no grade: null.")),
    titles=_said(keyed(TEXT), "Of every document, by its id."),
)

FILES: dict[str, Schema] = {
    **{
        f"{table.name}.json": exactly(
            table.meaning,
            title=_said(TEXT, "Of the site."),
            date=_said({"type": "string", "format": "date"}, "Of the site."),
            schema=_said(TEXT, "This file."),
            **{table.name: listed(table.schema)},
        )
        for table in (*TABLES, EXTERNAL)
    },
    "queries/*.js": _QUERIES,
    "per_query/*.js": _PER_QUERY,
    "suites/*.json": _SUITE,
    "tables/*.js": _TABLE,
    "compare.js": _COMPARE,
    "compare/*/*.js": _COMPARED,
    "top/*.js": _TOP,
}
"""Data files below `data/` and what they hold; `*` stands for a name. A further data file is one more of these."""


def file() -> File:
    """The schema's own file."""
    names = {pattern: pattern.rsplit(".", 1)[0].replace("/*", "") for pattern in FILES}
    names["compare/*/*.js"] = "compared"
    content: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Data files of a leaderboard",
        "description": "A file ending in .js holds its value as the second argument of a call of harnessData.",
        "files": {pattern: f"#/$defs/{name}" for pattern, name in names.items()},
        "$defs": {names[pattern]: schema for pattern, schema in FILES.items()},
    }
    return "data/schema.json", (compact(content) + "\n").encode("ascii")
