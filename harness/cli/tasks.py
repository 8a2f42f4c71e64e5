"""`harness tasks`: what methods can be evaluated on."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import format_option, show_json, show_table

if TYPE_CHECKING:
    from harness.contracts import Task


@click.group()
def tasks() -> None:
    """What methods can be evaluated on."""


@tasks.command("list")
@format_option
def list_(format: str) -> None:
    """List tasks and families of tasks by name; nothing is downloaded or built."""
    from harness.plugins import registry
    from harness.tasks import list_tasks

    found = list_tasks(registry())
    if format == "json":
        show_json([asdict(listed) for listed in found])
    else:
        rows = [[task.name, task.source, ", ".join(task.splits) or "–", task.summary] for task in found]
        show_table(["name", "source", "splits", "summary"], rows)


@tasks.command()
@click.argument("name")
@click.option("--split", metavar="NAME", help="Only this split. Default: all.")
@format_option
def show(name: str, split: str | None, format: str) -> None:
    """Show a task: counts, licence, fingerprint; whatever is wrong in its data, with file and line."""
    from harness.plugins import registry
    from harness.tasks import open_task

    task = open_task(registry(), name)
    splits = [_split(task, one) for one in ((split,) if split else task.facts.splits)]
    values = asdict(task.facts) | {"documents": len(task.corpus()), "splits": splits}
    if format == "json":
        show_json(values)
    else:
        _tables(values, splits)


def _split(task: "Task", name: str) -> dict[str, Any]:
    queries, qrels = task.queries(name), task.qrels(name)
    dropped = getattr(task, "dropped", None)  # only tasks over a source (harness.data.task) know these two
    candidates = getattr(task, "candidates", lambda _: None)(name)
    return {
        "split": name,
        "queries": len(queries),
        "judgements": len(qrels.rows),
        "dropped": dropped(name) if dropped else None,
        "candidates": None if candidates is None else int((candidates.rows >= 0).sum()),
        "fingerprint": task.fingerprint(name),
    }


def _tables(values: dict[str, Any], splits: list[dict[str, Any]]) -> None:
    facts = {"main measure": values["measures"][0], "measures": ", ".join(values["measures"])}
    facts |= {"documents": f"{values['documents']:,}", "evaluated split": values["split"]}
    facts |= {"exclude self": "yes: a document with the query's id is no answer" if values["exclude_self"] else "no"}
    facts |= {"languages": ", ".join(values["languages"]) or "not stated"}
    facts |= {name: values[name] or "not stated" for name in ("licence", "source", "revision", "citation")}
    show_table([values["name"], values["summary"]], [[name, text] for name, text in facts.items()])
    click.echo()
    columns = ["split", "queries", "judgements", "dropped (nothing relevant)", "candidates", "fingerprint"]
    show_table(columns, [[_cell(value) for value in split.values()] for split in splits])


def _cell(value: Any) -> str:
    return (
        "–" if value is None else f"{value:,}" if isinstance(value, int) else value[:16] if len(value) == 64 else value
    )
