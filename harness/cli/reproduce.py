"""`harness reproduce`: a stored evaluation done again, and whether it is what it was."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict

import click

from harness.cli.options import format_option, show_json, show_table, store_option


@click.command()
@click.argument("id", metavar="ID")
@click.option(
    "--tolerance", type=click.FloatRange(min=0), default=0.0005, show_default=True, help="How far a mean may be off."
)
@click.option("--device", metavar="NAME", help="Where to run; cpu, or what torch calls it. Default: cpu.")
@click.option("--trust-remote-code", "trusted", multiple=True, metavar="MODEL", help="Let this checkpoint's code run.")
@format_option
@store_option
def reproduce(
    id: str, tolerance: float, device: str | None, trusted: Sequence[str], format: str, store: str | None
) -> None:
    """Do a stored evaluation again, training included, and compare it with what is stored.

    Exit status: 0 equal or within the tolerance, 1 different or failed. No evaluation is stored.
    """
    from harness.runner.again import again, compare
    from harness.store import open_store
    from harness.store.work import own_work_folder

    then = open_store(store).evaluation(id)
    folder = own_work_folder() / f"reproduce-{then.id}"
    folder.mkdir(parents=True)
    words = ["--device", device] if device else []
    words += [word for model in trusted for word in ("--trust-remote-code", model)]
    try:
        found = compare(then, again(then, folder, words), tolerance)
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)
    if format == "json":
        show_json({"id": then.id, "tolerance": tolerance, **asdict(found)})
    else:
        click.echo(f"{then.method.name} on {then.task.name} ({then.task.split}, seed {then.seed}): {found.verdict}")
        rows = [[name, f"{old:.6f}", f"{new:.6f}", f"{new - old:+.6f}"] for name, (old, new) in found.means.items()]
        show_table(["measure", "then", "now", "difference"], rows)
        click.echo(f"{found.queries} of {len(then.task.query_ids)} queries with another value; ", nl=False)
        click.echo("the same run" if found.same_run else "another run")
        click.echo("changed since: " + ("; ".join(found.changed) or "nothing that is recorded"))
    if found.verdict == "different":
        raise SystemExit(1)
