"""Processes that are killed, interrupted, or two on one plan."""

import os
import signal
import time

from tests.conftest import PATIENCE


def killed_worker(bench, lab, process):
    victims = lab.workers(process)
    for victim in victims[:1]:
        victim.kill()
    process.communicate(timeout=PATIENCE)
    assert process.returncode in (0, 1)
    assert len(lab.stored()) == len(bench.undisturbed), "the others go on without it"
    return bool(victims)


def killed_parent(bench, lab, process):
    workers = lab.workers(process)
    process.kill()
    process.communicate()
    all_gone(lab, workers)
    return process.returncode == -signal.SIGKILL


def interrupted_twice(bench, lab, process):
    workers = lab.workers(process)
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all processes of the command
        time.sleep(0.1)
    process.communicate(timeout=PATIENCE)
    assert process.returncode in (0, 130, -signal.SIGINT)
    all_gone(lab, workers)
    return process.returncode != 0


def all_gone(lab, workers):
    lab.wait_for(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers))


def test_killed_and_interrupted(bench):
    """One after the other in one life; the command whose worker is killed goes on to the end of the plan."""

    def inject(lab, chance):
        for harm in (*chance.sample([killed_parent, interrupted_twice], 2), killed_worker):
            process = lab.start(*bench.plan)
            if not bench.moment(lab, process, chance):
                process.communicate()
                return False
            if not harm(bench, lab, process):
                return False
        return True

    bench.try_out("SIGKILL of a worker", "SIGKILL of the parent", "Ctrl-C twice", inject=inject)


def test_two_parents(bench):
    def inject(lab, chance):
        first = lab.start(*bench.plan)
        bench.moment(lab, first, chance)
        second = lab.start(*bench.plan)
        outs = [process.communicate(timeout=PATIENCE) for process in (first, second)]
        assert [first.returncode, second.returncode] == [0, 0], outs
        done = [int(out.split(" done,")[0].split()[-1]) for out, _ in outs]
        assert sum(done) == len(bench.undisturbed), "each is done once"
        return True

    bench.try_out("two commands on one plan", inject=inject)
