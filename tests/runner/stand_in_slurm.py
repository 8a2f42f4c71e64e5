"""sbatch, srun, sacct, scancel and scontrol, as far as submitit and the harness use them, on this machine.

Called as `stand_in_slurm.py COMMAND WORD…`; `$STAND_IN` is the folder where it keeps what it was given and how jobs
are: `calls` has a line of JSON a call, `ID.sh` is a script, `ID_N` (`ID` of a job that is no array) the state of a
job, `ID_N.pid` its process. With `$STAND_IN_HOLD` jobs stay in the queue; a script with the id `$STAND_IN_REFUSE` is
refused. A job ended by its signal's handler asks to be queued again with scontrol; SIGKILL is for all of its
processes.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

HERE = Path(os.environ.get("STAND_IN", "."))
OVER = ("COMPLETED", "FAILED", "CANCELLED", "OUT_OF_MEMORY")


def sbatch(script: str) -> None:
    """Queue a script."""
    array = str(len(list(HERE.glob("*.sh"))) + 1)
    if array == os.environ.get("STAND_IN_REFUSE"):
        sys.exit("sbatch: error: planted")
    text = Path(script).read_text()
    (HERE / f"{array}.sh").write_text(text)
    last = re.match(r"0-(\d+)", parameter(text, "array"))
    for job in [f"{array}_{number}" for number in range(int(last.group(1)) + 1)] if last else [array]:
        become(job, "PENDING")
    if "STAND_IN_HOLD" not in os.environ:
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.Popen([sys.executable, __file__, "controller", array], start_new_session=True, **quiet)
    print(f"Submitted batch job {array}")


def controller(array: str) -> None:
    """Run the jobs one after the other, each as often as it is queued, once those that they depend on are over."""
    (HERE / f"{array}.controller").write_text(str(os.getpid()))
    text = (HERE / f"{array}.sh").read_text()
    for before in parameter(text, "dependency").removeprefix("afterany").split(":")[1:]:
        while not all(state(job) in OVER for job in jobs(before)):
            time.sleep(0.1)
    for job in jobs(array):
        while state(job) == "PENDING":
            run(array, job)


def run(array: str, job: str) -> None:
    become(job, "RUNNING")
    _, in_array, number = job.partition("_")
    facts = {"SLURM_JOB_ID": array + number}
    facts |= {"SLURM_ARRAY_JOB_ID": array, "SLURM_ARRAY_TASK_ID": number} if in_array else {}
    script = ["bash", str(HERE / f"{array}.sh")]
    status = subprocess.Popen(script, env=os.environ | facts, start_new_session=True).wait()
    if state(job) == "RUNNING":
        become(job, "FAILED" if status else "COMPLETED")


def srun(*words: str) -> None:
    """Become the job's own process."""
    array, number = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    job, given = f"{array}_{number}" if array else os.environ["SLURM_JOB_ID"], dict(pairwise(words))
    for option, stream in (("--output", 1), ("--error", 2)):
        path = re.sub("%A_%a|%j", job, given[option]).replace("%t", "0")
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    (HERE / f"{job}.pid").write_text(str(os.getpid()))
    start = words.index(sys.executable)
    os.execv(words[start], words[start:])


def sacct(*words: str) -> None:
    """Tell how jobs are."""
    print("JobID|State|NodeList")
    for array in words[-1].split(","):
        for job in jobs(array):
            print(f"{job}|{state(job)}|node7")


def scancel(*cancelled: str) -> None:
    """End jobs at once."""
    for job in cancelled:
        become(job, "CANCELLED")
        with suppress(OSError):
            os.killpg(os.getsid(int((HERE / f"{job}.pid").read_text())), signal.SIGKILL)


def scontrol(what: str, job: str) -> None:
    """Queue a job again; its script is about to end."""
    assert what == "requeue"
    become(job, "PENDING")


def jobs(array: str) -> list[str]:
    """The jobs of an array, or the one with this id."""
    return [path.name for path in sorted(HERE.iterdir()) if re.fullmatch(rf"{array}(_\d+)?", path.name)]


def parameter(text: str, name: str) -> str:
    """What a script asks for."""
    found = re.search(rf"^#SBATCH --{name}=(.*)$", text, re.M)
    return found.group(1) if found else ""


def state(job: str) -> str:
    return (HERE / job).read_text()


def become(job: str, new: str) -> None:
    half = HERE / f"{job}.half"
    half.write_text(new)
    half.replace(HERE / job)


if __name__ == "__main__":
    command, given = sys.argv[1], sys.argv[2:]
    with (HERE / "calls").open("a") as calls:
        ours = {name: value for name, value in os.environ.items() if name.startswith("HARNESS_")}
        calls.write(json.dumps({"command": command, "words": given, "environment": ours}) + "\n")
    {each.__name__: each for each in (sbatch, controller, srun, sacct, scancel, scontrol)}[command](*given)
