"""`harness plugins new`: what it makes can be installed, passes its contract, and passes its own tests."""

import os
import subprocess
import sys

import pytest

from harness.card import KINDS


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A plugin of each kind, installed by pip into a folder."""
    folder = tmp_path_factory.mktemp("new")
    for kind in KINDS:
        command = [sys.executable, "-m", "harness.cli.main", "plugins", "new", f"my-{kind}", "--kind", kind]
        subprocess.run([*command, "--folder", str(folder)], check=True, capture_output=True)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--no-build-isolation",
        "--no-deps",
    ]
    packages = [str(folder / f"my-{kind}") for kind in KINDS]
    subprocess.run([*pip, "--target", str(folder / "site"), *packages], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_new_plugin_has_four_files_and_passes_its_tests(made, kind):
    files = {str(path.relative_to(made / f"my-{kind}")) for path in (made / f"my-{kind}").rglob("*") if path.is_file()}
    module = f"harness_my_{kind}"
    assert files == {"pyproject.toml", f"{module}/__init__.py", f"{module}/method.py", f"tests/test_my_{kind}.py"}
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(made / f"my-{kind}")]
    env = os.environ | {"PYTHONPATH": str(made / "site")}
    done = subprocess.run(command, cwd=made, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_new_plugin_is_sound(made, site, kind):
    assert "sound" in site.harness("plugins", "check", f"my-{kind}", PYTHONPATH=str(made / "site")).stdout


@pytest.mark.parametrize("kind", KINDS)
def test_new_plugin_is_formatted(made, kind):
    """The templates are no Python files, so no linter reads them; shapes are strings (F722)."""
    for command in (["check", "--select", "E,F,W,I,B,UP", "--ignore", "F722"], ["format", "--check"]):
        words = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", "120", "."]
        done = subprocess.run(words, cwd=made / f"my-{kind}", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["My-Method", "my_method", "1st", "-x", "a--b", "a/b", "../up", "", "naïve"])
def test_name_that_is_none_is_refused(site, tmp_path, name):
    words = ["plugins", "new", "--kind", "task", "--folder", str(tmp_path / "new"), "--", name]
    assert "lower-case" in site.harness(*words, status=2).stderr
    assert not (tmp_path / "new").exists()


def test_taken_name_and_existing_folder_are_refused(site, tmp_path):
    site.add("good")
    assert "harness_good" in site.harness("plugins", "new", "good", "--kind", "task", status=2).stderr
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")
    done = site.harness("plugins", "new", "mine", "--kind", "task", "--folder", str(tmp_path), status=2)
    assert "is there already" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_kind_is_required_and_known(site):
    assert "--kind" in site.harness("plugins", "new", "mine", status=2).stderr
    assert "'retriever'" in site.harness("plugins", "new", "mine", "--kind", "ranker", status=2).stderr
