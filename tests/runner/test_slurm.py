"""`harness run --executor slurm` by submitit's local executor, and on a stand-in for Slurm's commands."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from harness.errors import ConfigError, MissingExtra
from harness.runner.executors import executor
from harness.runner.executors.arrays import LARGEST, arrays, waves
from harness.runner.plan import Method, Work
from tests.conftest import PATIENCE

pytest.importorskip("submitit", reason="submitit is not installed: pip install 'retrieval-harness[slurm]'")

STAND_IN = Path(__file__).with_name("stand_in_slurm.py")
PLAN = ["run", "--plugin", "toy-over", "--task", "small", "--task", "other"]
ON_SLURM = ["--executor", "slurm"]
HERE = [*ON_SLURM, "-e", "cluster=local"]


@dataclass
class StandIn:
    """What the stand-in was given, and how its jobs are."""

    folder: Path

    def calls(self, command: str) -> list[dict]:
        """In order; see stand_in_slurm.py."""
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [call for call in map(json.loads, lines) if call["command"] == command]

    def script(self, job: int) -> str:
        return (self.folder / f"{job}.sh").read_text()

    def task(self, job: str) -> int:
        return int((self.folder / f"{job}.pid").read_text())


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Slurm's commands on PATH."""
    folder, commands = tmp_path / "slurm", tmp_path / "commands"
    folder.mkdir()
    commands.mkdir()
    for name in ("sbatch", "srun", "sacct", "scancel", "scontrol"):
        (commands / name).write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} {name} "$@"\n')
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN", str(folder))
    yield StandIn(folder)
    for file in (*folder.glob("*.controller"), *folder.glob("*.pid")):
        with suppress(ProcessLookupError):
            os.killpg(os.getsid(int(file.read_text())), signal.SIGKILL)


def finish(process: subprocess.Popen, status: int = 0) -> str:
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, f"exit {process.returncode}\n{out}\n{err}"
    return out + err


def evaluating(lab) -> list[Path]:
    """Folders of evaluations that are being done."""
    return list(lab.home.glob("work/*/*/plugins"))


def errors(lab, url=None) -> dict[str, str]:
    return {one.method.name: one.error for one in lab._store(url).evaluations()}


def test_jobs_on_this_machine_find_what_the_local_executor_finds(lab, tmp_path):
    out = finish(lab.start(*PLAN, *HERE))
    assert "4 done, 0 done before, 0 failed" in out
    assert len(re.findall(r"submitted: job \d+", out)) == 4
    (folder,) = (lab.home / "slurm").iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not list(folder.glob("*_submitted.pkl"))
    assert "0 done, 4 done before" in finish(lab.start(*PLAN, *HERE))
    alone = lab.fresh(tmp_path / "alone")
    finish(alone.start(*PLAN))
    assert alone.stored() == lab.stored()


def kill_first(lab, *words: str) -> subprocess.Popen:
    """The command, once the job of a first stage that would take long was killed."""
    plan = ["run", "--plugin", "toy-over", "--task", "small", "-o", "base.seconds=300"]
    process = lab.start(*plan, *HERE, *words)
    lab.wait_for(lambda: evaluating(lab))
    jobs = [
        one for one in psutil.Process(process.pid).children(recursive=True) if "submitit.core._submit" in one.cmdline()
    ]
    assert len(jobs) == 1
    jobs[0].kill()
    return process


def test_a_killed_job_is_told(lab):
    assert "2 failed" in finish(kill_first(lab), status=1)
    told = errors(lab)
    assert re.fullmatch(r"job \d+ ended before this evaluation was done: FINISHED: .*", told["toy"])
    assert "first stage" in told["toy-over"]


def test_without_anybody_watching_a_job_does_not_wait_for_what_a_killed_one_left(lab):
    assert "0 failed, 2 submitted" in finish(kill_first(lab, "-e", "wait=false"))
    (told,) = errors(lab).items()
    assert told[0] == "toy-over"
    assert "was not done; its job ended before" in told[1]


def test_failures_of_plugins_are_those_of_the_evaluations(lab):
    words = ["run", "--plugin", "toy", "--task", "small", *HERE]
    assert "planted" in finish(lab.start(*words, "-o", "fault=raise"), status=1)
    assert "signal 9" in finish(lab.start(*words, "-o", "fault=kill"), status=1)
    assert [row["state"] for row in lab.results()] == ["failed"] * 2


def test_slurm_is_asked_for_what_was_asked_for(lab, slurm, empty_postgresql, monkeypatch):
    monkeypatch.setenv("STAND_IN_HOLD", "1")
    monkeypatch.setenv("HARNESS_STORE", empty_postgresql)
    options = ["partition=gpu", "account=ir", "qos=low", "constraint=a100|h100", "time=90", "gpus=2", "cores=6"]
    options += ["memory=1.5", "at_once=1", "more=nice:100,exclusive", "wait=false"]
    out = finish(lab.start(*PLAN, *ON_SLURM, *(word for option in options for word in ("-e", option))))
    assert "0 done, 0 done before, 0 failed, 4 submitted" in out
    assert re.findall(r"submitted: job (\S+)", out) == ["1_0", "1_1", "2_0", "2_1"]
    given = dict.fromkeys(slurm.script(2).splitlines())
    for wanted in ("partition=gpu", "account=ir", "qos=low", "constraint='a100|h100'", "time=90", "gpus-per-node=2"):
        assert f"#SBATCH --{wanted}" in given
    for wanted in ("cpus-per-task=6", "mem=1536M", "array=0-1%1", "nice=100", "exclusive", "requeue", "signal=USR2@90"):
        assert f"#SBATCH --{wanted}" in given
    assert "#SBATCH --dependency=afterany:1" in given
    assert "dependency" not in slurm.script(1)
    assert re.search("^srun .* --cpus-per-task=6 ", slurm.script(1), re.M)
    assert "postgresql" not in slurm.script(1) + slurm.script(2) + json.dumps(slurm.calls("sbatch"))
    assert not slurm.calls("scancel")


def test_an_interrupt_cancels_what_was_submitted(lab, slurm, empty_postgresql, monkeypatch):
    monkeypatch.setenv("STAND_IN_HOLD", "1")
    process = lab.start(*PLAN, *ON_SLURM, "--store", empty_postgresql)
    lab.wait_for(lambda: slurm.calls("sacct"))
    os.killpg(process.pid, signal.SIGINT)
    finish(process, status=130)
    (call,) = slurm.calls("scancel")
    assert call["words"] == ["1_0", "1_1", "2_0", "2_1"]


def test_a_preempted_job_goes_on_and_the_plan_ends_whole(lab, slurm, empty_postgresql, tmp_path):
    plan = [*PLAN, "-o", "base.seconds=1"]
    process = lab.start(*plan, *ON_SLURM, "--store", empty_postgresql)
    lab.wait_for(lambda: evaluating(lab))
    os.kill(slurm.task("1_0"), signal.SIGUSR2)
    assert "4 done, 0 done before, 0 failed" in finish(process)
    assert [call["words"] for call in slurm.calls("scontrol")] == [["requeue", "1_0"]]
    assert len(slurm.calls("srun")) == 5
    assert not list(lab.home.glob("work/*"))
    alone = lab.fresh(tmp_path / "alone")
    finish(alone.start(*plan))
    assert alone.stored() == lab.stored(empty_postgresql)


def test_a_job_that_runs_out_of_time_goes_on_as_often_as_was_asked(lab, slurm, empty_postgresql):
    words = ["run", "--plugin", "toy", "--task", "small", "-o", "seconds=300", "-e", "time=5", "-e", "timeouts=1"]
    process = lab.start(*words, *ON_SLURM, "--store", empty_postgresql)
    for tries in (1, 2):
        lab.wait_for(lambda tries=tries: len(slurm.calls("srun")) == tries and evaluating(lab))
        os.kill(slurm.task("1"), signal.SIGUSR2)
        lab.wait_for(lambda: not evaluating(lab))
    assert "1 failed" in finish(process, status=1)
    assert [call["words"] for call in slurm.calls("scontrol")] == [["requeue", "1"]]
    told = errors(lab, empty_postgresql)["toy"]
    assert told.startswith("job 1 ended before this evaluation was done: FAILED: ")
    assert "timed-out too many times" in told


def test_what_sbatch_refuses_is_told_and_nothing_of_the_plan_stays_queued(lab, slurm, empty_postgresql, monkeypatch):
    monkeypatch.setenv("STAND_IN_HOLD", "1")
    monkeypatch.setenv("STAND_IN_REFUSE", "2")
    out = finish(lab.start(*PLAN, *ON_SLURM, "--store", empty_postgresql), status=2)
    assert "sbatch expects other options: sbatch: error: planted" in out
    assert [call["words"] for call in slurm.calls("scancel")] == [["1_0", "1_1"]]


def test_a_job_that_slurm_ended_is_told_with_its_log_and_not_its_node(lab, slurm, empty_postgresql):
    words = ["run", "--plugin", "toy", "--task", "small", "-o", "seconds=300", *ON_SLURM, "--store", empty_postgresql]
    process = lab.start(*words)
    lab.wait_for(lambda: evaluating(lab))
    (log,) = lab.home.glob("slurm/*/1_0_log.err")
    log.write_text("slurmstepd: error: Detected 1 oom_kill event on node7\n")
    (slurm.folder / "1").write_text("OUT_OF_MEMORY")
    os.killpg(os.getsid(slurm.task("1")), signal.SIGKILL)
    assert "1 failed" in finish(process, status=1)
    expected = "OUT_OF_MEMORY: slurmstepd: error: Detected 1 oom_kill event on …"
    assert errors(lab, empty_postgresql) == {"toy": f"job 1 ended before this evaluation was done: {expected}"}


def test_a_dry_run_shows_scripts_and_starts_nothing(lab, empty_postgresql, tmp_path):
    out = lab.harness(*PLAN, *ON_SLURM, "--store", empty_postgresql, "-e", "partition=gpu", "--dry-run")
    assert "4 evaluations, 4 to run" in out
    first, second = re.findall(r"^#!/bin/bash\n.*?^srun .*?$", out, re.M | re.S)
    for script in (first, second):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        assert "#SBATCH --array=0-1%2\n" in script
        assert "#SBATCH --partition=gpu\n" in script
    assert "dependency" not in first
    assert "#SBATCH --dependency=afterany:ARRAY_1\n" in second
    assert not (lab.home / "slurm").exists()


def asked(url=None, kinds=(), **options):
    return executor("slurm", options, store=url, devices=kinds, tell=print)


def test_a_store_of_one_machine_is_refused(own_home):
    with pytest.raises(ConfigError, match="--store postgresql://"):
        asked().run([])
    with pytest.raises(ConfigError, match="--store postgresql://"):
        asked().scripts([])


def test_a_machine_without_slurm_is_refused(empty_postgresql, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match=r"found no sbatch.*cluster=local"):
        asked(empty_postgresql).run([])


def test_submitit_is_asked_for(own_home, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    monkeypatch.delitem(sys.modules, "harness.runner.executors.submitting", raising=False)
    monkeypatch.delattr("harness.runner.executors.submitting", raising=False)
    with pytest.raises(MissingExtra, match=r"retrieval-harness\[slurm\]"):
        asked(cluster="local").run([])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"partiton": "gpu"}, "did you mean 'partition'"),
        ({"time": "0"}, "from 1"),
        ({"more": "output:x"}, "except .*output.*got 'output'"),
        ({"more": "nice:1,$(x)"}, "long names of sbatch"),
        ({"partition": "gpu\nrm"}, "printable"),
        ({"folder": "logs/%j"}, "without %"),
    ],
)
def test_options_that_slurm_would_misunderstand_are_refused(own_home, options, said):
    with pytest.raises(ConfigError, match=said):
        asked(**options)


@pytest.mark.parametrize(("kinds", "gpus"), [(["cpu"], "1"), (["cuda"], "0"), (["cuda", "cpu"], "1")])
def test_devices_that_contradict_each_other_are_refused(own_home, kinds, gpus):
    with pytest.raises(ConfigError, match="one kind of device"):
        asked(kinds=kinds, gpus=gpus, cluster="local").run([])


def work(name: str, *stages: str, lesson: str = "", after: tuple[str, ...] = ()) -> Work:
    facts = {"task": "t", "split": "test", "seed": 0, "division": "open", "suite": "", "implementation": ""}
    facts |= {"checkpoints": {}, "fingerprint": "", "exclude_self": False}
    return Work(id=name, method=Method(use=None, after=after), first_stages=stages, lesson=lesson, **facts)


def test_an_array_holds_nothing_that_waits_for_another_of_its_jobs():
    plan = [work("a"), work("b", "a"), work("c", "b", "a"), work("d", "elsewhere"), work("e", after=("t1", "t2"))]
    plan += [work("t1", lesson="x"), work("t2", lesson="x"), work("t3", "a", lesson="y"), work("t4", "t3", lesson="y")]
    found = [[[one.id for one in job] for job in wave] for wave in waves(plan)]
    assert found == [[["a"], ["d"], ["t1", "t2"]], [["b"], ["e"], ["t3", "t4"]], [["c"]]]


def test_no_array_is_larger_than_slurm_takes():
    assert [len(array) for array in arrays(list(range(2 * LARGEST + 1)))] == [LARGEST, LARGEST, 1]
    assert arrays([]) == []
