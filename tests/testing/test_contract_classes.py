"""The contract classes as a third party uses them: in a project of its own, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

TOYS = Path(__file__).parent / "toys"

TESTS = """
import pytest
from harness.testing import DistillerContract, RetrieverContract, TaskContract, TeacherContract
from harness.testing.teachers import OverlapTeacher

class TestRight(RetrieverContract):
    plugin = "wrong"

class TestWrong(RetrieverContract):
    plugin = "wrong"
    skip = {"finds_relevant": "made to fail"}

    @pytest.fixture
    def options(self, tmp_path):
        assert tmp_path.is_dir()
        return {"fault": "ranks by chance"}

class TestForgets(RetrieverContract):
    plugin = "wrong"
    options = {"fault": "forgets on load"}

class TestTeacher(TeacherContract):
    plugin = "wrong-teacher"
    identity_options = {"length": "9"}

class TestDistiller(DistillerContract):
    plugin = "wrong-distiller"

    @pytest.fixture
    def teacher(self):
        return OverlapTeacher()

class TestTask(TaskContract):
    plugin = "wrong-task"

def test_tiny(harness_tiny_task):
    assert len(harness_tiny_task.corpus()) == 40
"""


def pytest_run(folder: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_plugin.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rfs", *words, str(folder)]
    env = os.environ | {"PYTHONPATH": str(TOYS)}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_each_check_is_a_test(tmp_path):
    done = pytest_run(tmp_path, TESTS)
    failed = [line.split("::", 1)[1] for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert [line.split(" - ")[0] for line in failed] == ["TestForgets::test_contract[saved_and_loaded]"]
    # 3 retrievers of 14 checks, a teacher of 12, a distiller of 17, a task of 11, and test_tiny make 83
    assert "1 failed, 82 passed, 1 skipped" in done.stdout
    assert "made to fail" in done.stdout


def test_skip_of_an_unknown_check_is_refused(tmp_path):
    text = "from harness.testing import TaskContract\nclass TestTask(TaskContract):\n    skip = {'no_such': 'x'}\n"
    done = pytest_run(tmp_path, text)
    assert done.returncode != 0
    assert "no check named 'no_such'" in done.stdout


def test_pytest_plugin_imports_nothing_of_the_harness(tmp_path):
    text = "import sys\ndef test_light():\n    assert 'harness' not in sys.modules\n"
    assert "1 passed" in pytest_run(tmp_path, text).stdout
