"""The command line itself: help, plugins' commands, and what is said when something goes wrong."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from harness.cli.main import BUILT_IN, cli
from harness.testing.checks.card import HEAVY
from harness.testing.installed import install
from tests.conftest import PATIENCE

COMMAND = '''"""Adds commands."""
from harness import hookimpl

@hookimpl
def harness_commands(cli):
    import click
    from harness.errors import DataError

    @cli.command()
    def greet():
        """Greet politely."""
        print("hello")

    @cli.command()
    @click.argument("how")
    def fail(how):
        """Fail as told."""
        if how == "harness":
            raise DataError("expected this,\\ngot \\x1b[31mthat")
        if how == "bug":
            raise ZeroDivisionError("a bug")
        if how == "status":
            raise SystemExit(1)
        if how == "wait":
            import time
            print("waiting", flush=True)
            time.sleep(60)
        if how == "flood":
            for _ in range(100_000):
                print("x" * 100)

    cli.add_command(click.Command("run"))
'''


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A plugin `greet` that adds the commands `greet`, `fail` and, in vain, `run`."""
    install(tmp_path / "site", "greet", COMMAND)
    return tmp_path / "site"


def start(site: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness.cli.main", *words]
    env = os.environ | {"PYTHONPATH": str(site)}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def harness(site: Path, *words: str) -> tuple[int, str, str]:
    process = start(site, *words)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def test_help_lists_every_command_built_in_or_added(site):
    status, out, _ = harness(site, "--help")
    listed = {line.split()[0]: line for line in out.partition("Commands:")[2].splitlines() if line.strip()}
    assert status == 0
    assert set(BUILT_IN) | {"greet", "fail"} <= set(listed)
    assert "Greet politely." in listed["greet"]
    assert listed["run"].count(BUILT_IN["run"]) == 1  # a plugin can't replace a built-in command


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_command_says_what_the_list_of_commands_says(name):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(200) == BUILT_IN[name]


def test_help_imports_nothing_heavy(site):
    program = "import sys\nfrom harness.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    program += f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_help_imports_no_plugin_without_commands(site, tmp_path):
    install(site, "quiet", f"open({str(tmp_path / 'imported')!r}, 'w').close()")
    assert harness(site, "--help")[0] == harness(site, "greet")[0] == 0
    assert not (tmp_path / "imported").exists()


def test_plugins_command_runs(site):
    assert harness(site, "greet") == (0, "hello\n", "")
    assert harness(site, "fail", "status")[0] == 1  # found though no plugin has its name


def test_broken_plugin_spoils_no_other_command(site):
    install(site, "bad", "raise RuntimeError('harness_commands')")
    assert harness(site, "--help")[0] == 0
    assert harness(site, "greet")[1] == "hello\n"
    status, _, err = harness(site, "bad")
    assert status == 2
    assert "harness-bad 1.0" in err


def test_error_is_one_printable_line_and_status_2(site):
    status, out, err = harness(site, "fail", "harness")
    assert (status, out) == (2, "")
    assert err == "harness: error: expected this, got \\x1b[31mthat\n"


@pytest.mark.parametrize("words", [("--traceback", "fail", "harness"), ("fail", "harness", "--traceback")])
def test_traceback_shows_where(site, words):
    status, _, err = harness(site, *words)
    assert status == 2
    assert "harness_greet" in err
    assert "DataError" in err


def test_bug_shows_where_by_itself(site):
    status, _, err = harness(site, "fail", "bug")
    assert status == 1
    assert "Traceback" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fail",), "harness fail --help"),
        (("greet", "--loud"), "--loud"),
        (("plugnis",), "did you mean 'plugins'?"),
        (("gret",), "did you mean 'greet'?"),
        (("--no-such",), "--no-such"),
        (("plugins", "lits"), "lits"),
    ],
)
def test_wrong_words_are_one_line_and_status_2(site, words, said):
    status, out, err = harness(site, *words)
    assert (status, out) == (2, "")
    assert err.startswith("harness: error: ")
    assert err.count("\n") == 1
    assert said in err


def test_version(site):
    from importlib.metadata import version

    assert harness(site, "--version")[1].strip().endswith(version("retrieval-harness"))


def test_no_command_shows_help(site):
    out = "".join(harness(site)[1:])
    assert "Commands:" in out


def test_interrupt_is_status_130_without_traceback(site):
    process = start(site, "fail", "wait")
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_closed_pipe_is_quiet(site):
    process = start(site, "fail", "flood")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.wait(timeout=PATIENCE)
    process.stderr.close()
    assert err == ""
