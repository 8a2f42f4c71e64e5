"""`harness`: built-in commands by name, each imported when it is called, and the commands that plugins add."""

import difflib
import importlib
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from harness.cli.options import printable
from harness.errors import HarnessError, disk_full, shortened

BUILT_IN = {
    "compare": "Compare two methods, or every two of several: names of methods or ids of evaluations.",
    "devices": "Register, calibrate and list devices.",
    "doctor": "Check packages, plugins, home, store, devices and offline mode.",
    "plugins": "List, show, make and check plugins.",
    "reproduce": "Do a stored evaluation again, training included, and compare it with what is stored.",
    "results": "List, show, export, import and remove evaluations.",
    "run": "Evaluate methods on tasks: distil, index, search, score, store.",
    "score": "Score a run file on a task, or the stored run of an evaluation by other measures.",
    "signals": "Teacher signals: list, check, share.",
    "store": "Check, upgrade, copy and tidy the database.",
    "tasks": "What methods can be evaluated on.",
}
"""Command `NAME` is `harness.cli.NAME:NAME`; its line of help stands here, so that `--help` imports none of them."""


class Commands(click.Group):
    """The built-in commands, and after them those that plugins add."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        from harness.cli.added import commands

        return [*BUILT_IN, *(name for name in commands() if name not in BUILT_IN)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported; a plugin's command imports that plugin, or those that may have it."""
        if cmd_name in BUILT_IN:
            return getattr(importlib.import_module(f"harness.cli.{cmd_name}"), cmd_name)
        from harness.cli.added import command

        if found := command(cmd_name):
            return found
        known = self.list_commands(ctx)
        near = difflib.get_close_matches(cmd_name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}."
        raise click.UsageError(f"no command named {cmd_name!r}; {hint}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands; built-in ones are not imported for it."""
        from harness.cli.added import commands

        added = {name: command.get_short_help_str(80) for name, command in commands().items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted((added | BUILT_IN).items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="retrieval-harness", prog_name="harness")
@click.option("--traceback", is_flag=True, help="Show where an error comes from; may stand anywhere.")
def cli(**_: bool) -> None:
    """Evaluation and leaderboard harness for retrieval and retrieval distillation."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit: 0 done, 1 something failed, 2 the user must mend something, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    words = [word for word in given if word != "--traceback"]
    try:
        status: Any = cli.main(words, prog_name="harness", standalone_mode=False)
    except HarnessError as error:
        if words != given:
            traceback.print_exc()
        _fail(str(error))
    except OSError as error:
        if not disk_full(error):
            raise
        _fail(f"{error}: make room and run the command again; what is done stays")
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "harness"
        _fail(f"{error.format_message()} See `{path} --help`")
    except click.ClickException as error:
        _fail(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str) -> NoReturn:
    """One line, whatever is in the message: names of files and foreign code's errors are foreign text."""
    click.echo(f"harness: error: {printable(shortened(' '.join(message.split())))}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
