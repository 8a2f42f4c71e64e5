"""`harness run`: plan evaluations, show the plan, run it, and go on where an earlier command was stopped."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import as_words, store_option

if TYPE_CHECKING:
    from harness.contracts import Task
    from harness.plugins import Registry
    from harness.runner.executors import Name
    from harness.runner.plan import Method, Request, Target, Work
    from harness.suites import Suite


@click.command()
@click.option("--plugin", "plugins", multiple=True, metavar="NAME", help="Method to evaluate; may be repeated.")
@click.option("--task", "tasks", multiple=True, metavar="NAME", help="Task to evaluate on; may be repeated.")
@click.option("--suite", metavar="NAME|FILE", help="Tasks and seeds of a suite.")
@click.option("--split", metavar="NAME", help="Split to evaluate; default: the task's own.")
@click.option("--teacher", metavar="NAME", help="Teacher of a distiller; its options are -o teacher.KEY=VALUE.")
@click.option("--student", metavar="CHECKPOINT", help="Student of a distiller: hub id, folder or pip:DISTRIBUTION.")
@click.option("--train-on", "train_on", multiple=True, metavar="TASK", help="Task to train on; default: each its own.")
@click.option("--budget", "limits", multiple=True, metavar="KEY=VALUE", help="Limit of a distiller: steps=1000 …")
@click.option("--seed", "seeds", multiple=True, type=int, metavar="N", help="Seed; may be repeated. Default: 0.")
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="NAME",
    help="Registered device, or several as NAME+NAME; may be repeated.",
)
@click.option(
    "--mode",
    metavar="NAME",
    help="What models compute with: fp32 (default), fast (what is fastest on the device), or a mode by name.",
)
@click.option(
    "-o", "options", multiple=True, metavar="KEY=VALUE", help="Option of the method (`harness plugins show`)."
)
@click.option("--trust-remote-code", "trusted", multiple=True, metavar="MODEL", help="Let this checkpoint's code run.")
@click.option(
    "--executor",
    type=click.Choice(["local", "ray", "slurm"]),
    default="local",
    show_default=True,
    help="Where: this machine, or a cluster (docs/scale.md).",
)
@click.option(
    "-e", "executor_options", multiple=True, metavar="KEY=VALUE", help="Option of the executor, such as partition=gpu."
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="End an evaluation that takes longer, as failed; the others go on. Default: none.",
)
@click.option("--isolate", is_flag=True, help="Run each method in an environment of its own (docs/plugins.md).")
@click.option("--dry-run", is_flag=True, help="Show the plan and stop.")
@store_option
def run(
    plugins: Sequence[str],
    tasks: Sequence[str],
    suite: str | None,
    split: str | None,
    seeds: Sequence[int],
    devices: Sequence[str],
    trusted: Sequence[str],
    isolate: bool,
    dry_run: bool,
    executor: "Name",
    executor_options: Sequence[str],
    time_limit: float | None,
    store: str | None,
    **method: Any,
) -> None:
    """Evaluate methods on tasks: distil, index, search, score, store.

    With one --plugin, -o sets its options; with several, each is named first: -o dense.model=…. What is done already is
    skipped. Exit status: 0 all done, 1 an evaluation failed, 2 nothing could be run.
    """
    from harness.config import pairs
    from harness.plugins import registry
    from harness.runner.plan import Request, plan

    known = registry()
    how: tuple[Name, dict[str, str]] = (executor, pairs(executor_options, "-e"))
    chosen = _suite(known, suite)
    targets = _targets(known, tasks or (chosen.tasks if chosen else ()), split)
    request = Request(
        methods=(),
        targets=targets,
        training=_training(known, targets, method["train_on"], chosen),
        seeds=tuple(seeds) or (chosen.seeds if chosen else (0,)),
        division=chosen.division if chosen else "open",
        suite=chosen.name if chosen else "",
        trust_remote_code=frozenset(trusted),
    )
    if chosen and chosen.training:
        found = _closed(known, chosen, request, plugins, **method)
    else:
        found = _methods(known, plugins, **method | {"mode": _mode(method["mode"], devices, store)})
    works = plan(known, replace(request, methods=found))
    if dry_run:
        _show_plan(works, targets, store)
        _show_scripts(works, how, devices, store)
    elif isolate:
        _isolated(known, works, store)
    else:
        _execute(works, how, devices, store, time_limit)


def _suite(known: "Registry", name: str | None) -> "Suite | None":
    from harness.suites import load_suite

    return load_suite(known, name) if name else None


def _targets(known: "Registry", names: Sequence[str], split: str | None) -> "list[Target]":
    from harness.errors import ConfigError
    from harness.runner.plan import Target
    from harness.tasks import open_task

    if not names:
        raise ConfigError("no task: expected --task NAME or --suite NAME; see `harness tasks list`")
    targets: list[Target] = []
    for name in dict.fromkeys(names):
        task = open_task(known, name)
        wanted = split or task.facts.split
        if wanted not in task.facts.splits:
            raise ConfigError(f"{name} has no split {wanted!r}; it has {', '.join(task.facts.splits)}")
        targets.append(Target(name=name, task=task, split=wanted))
    return targets


def _training(
    known: "Registry", targets: "Sequence[Target]", names: Sequence[str], suite: "Suite | None"
) -> "dict[str, Task]":
    """The tasks that are trained on, opened."""
    from harness.tasks import open_task

    opened = {target.name: target.task for target in targets}
    wanted = suite.training.tasks if suite and suite.training else names
    return {name: opened.get(name) or open_task(known, name) for name in wanted}


def _closed(
    known: "Registry",
    suite: "Suite",
    request: "Request",
    plugins: Sequence[str],
    options: Sequence[str],
    **fixed: Any,
) -> "list[Method]":
    """The methods of a closed suite, which fixes the rest."""
    from harness.config import pairs
    from harness.errors import ConfigError
    from harness.runner.choose import scoped
    from harness.runner.closed import methods

    if given := [f"--{name.replace('limits', 'budget').replace('_', '-')}" for name, value in fixed.items() if value]:
        raise ConfigError(f"the closed suite {suite.name} fixes what {given[0]} says; leave one of them out")
    if options and not plugins:
        raise ConfigError("-o needs the method that it is for: --plugin NAME")
    return methods(known, suite, request, plugins, scoped(plugins, pairs(options, "-o")) if plugins else {})


def _methods(
    known: "Registry",
    plugins: Sequence[str],
    options: Sequence[str],
    teacher: str | None,
    student: str | None,
    limits: Sequence[str],
    train_on: Sequence[str],
    mode: str,
) -> "list[Method]":
    from harness.config import pairs
    from harness.errors import ConfigError
    from harness.runner.choose import Lessons, budget, choose

    if not plugins:
        raise ConfigError("no method: expected --plugin NAME; see `harness plugins list`")
    budgeted = budget(pairs(limits, "--budget"))
    lessons = Lessons(teacher=teacher, student=student or "", budget=budgeted, train_on=tuple(train_on))
    return [replace(method, mode=mode) for method in choose(known, plugins, pairs(options, "-o"), lessons)]


def _mode(name: str | None, chosen: Sequence[str], url: str | None) -> str:
    """The mode by its own name; the fastest one where that is what was asked for, equal for all devices."""
    from harness.contracts import FP32

    if name in (None, FP32):
        return FP32
    from harness import devices
    from harness.errors import ConfigError
    from harness.nn import modes
    from harness.store import open_store

    if name != "fast":
        return modes.check(name)
    opened = open_store(url)
    found = {one: modes.fastest(devices.require(opened, one).torch_names[0]) for one in chosen or ("cpu",)}
    if len(set(found.values())) > 1:
        fastest = ", ".join(f"{one}: {mode}" for one, mode in found.items())
        raise ConfigError(f"--mode fast: the devices have different ones ({fastest}); name one of them")
    return next(iter(found.values()))


def _show_plan(works: "Sequence[Work]", targets: "Sequence[Target]", url: str | None) -> None:
    from harness.cli.options import show_table
    from harness.runner.estimate import estimates
    from harness.store import open_store

    store = open_store(url)
    sizes = {target.name: len(target.task.corpus()) for target in targets}
    states, seconds = store.states([work.id for work in works]), estimates(store, works, sizes)
    rows: list[list[str]] = []
    for work in works:
        state = states.get(work.id) or "new"
        guess = seconds[work.id]
        work_left = "–" if state == "done" else "unknown" if guess is None else f"about {guess:.0f} s"
        rows.append([work.id, work.method.use.name, work.task, work.split, str(work.seed), state, work_left])
    show_table(["id", "method", "task", "split", "seed", "state", "estimate"], rows)
    left = sum(1 for row in rows if row[5] != "done")
    click.echo(f"{len(rows)} evaluations, {left} to run; documents: " + ", ".join(f"{n} {s}" for n, s in sizes.items()))


def _isolated(known: "Registry", works: "Sequence[Work]", store: str | None) -> None:
    """This command once more for each of its methods, in an environment that has what the method needs."""
    from harness.config import pairs
    from harness.runner import isolation
    from harness.runner.choose import scoped

    context = click.get_current_context()
    given = dict(context.params)
    names = given["plugins"] or [work.method.use.name for work in works if work.method.role != "baseline"]
    options = scoped(names, pairs(given["options"], "-o"))
    statuses: list[int] = []
    for name in dict.fromkeys(names):
        own = [f"{key}={value}" for key, value in options.get(name, {}).items()]
        words = as_words(context.command, given | {"plugins": (name,), "options": own, "isolate": False, "store": None})
        statuses.append(isolation.run(known, [work for work in works if work.method.use.name == name], words, store))
    raise SystemExit(max(statuses))


def _show_scripts(
    works: "Sequence[Work]", how: "tuple[Name, dict[str, str]]", devices: Sequence[str], url: str | None
) -> None:
    """What would be given to a cluster's queue."""
    name, options = how
    if name == "slurm":
        from harness.runner.executors import executor
        from harness.runner.executors.slurm import SlurmExecutor

        chosen = executor(name, options, store=url, devices=devices, tell=lambda _: None)
        assert isinstance(chosen, SlurmExecutor)
        for number, script in enumerate(chosen.scripts(works), 1):
            click.echo(f"\n# array {number}, for sbatch:\n{script}", nl=False)


def _execute(
    works: "Sequence[Work]",
    how: "tuple[Name, dict[str, str]]",
    devices: Sequence[str],
    url: str | None,
    time_limit: float | None,
) -> None:
    from harness.cli.progress import Progress
    from harness.runner.executors import executor

    name, options = how
    with Progress(works) as progress:
        chosen = executor(name, options, store=url, devices=devices, tell=progress.tell, time_limit=time_limit)
        states = chosen.run(works)
    failed = sum(1 for state in states.values() if state in ("failed", "elsewhere"))
    counts = {"done": 0, "already": 0} | {state: list(states.values()).count(state) for state in states.values()}
    submitted = f", {counts['submitted']} submitted" if "submitted" in counts else ""
    click.echo(f"{counts['done']} done, {counts['already']} done before, {failed} failed{submitted}")
    if failed:
        raise SystemExit(1)
