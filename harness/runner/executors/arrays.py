"""A plan → arrays of jobs for a queue, such that nothing in an array has to wait for anything else in it."""

from collections.abc import Sequence
from graphlib import TopologicalSorter
from typing import TypeVar

from harness.runner.plan import Work

LARGEST = 1000
"""Jobs of an array; a Slurm that nobody has configured otherwise takes one more."""

Jobs = list[list[Work]]
"""The evaluations of each job, one after the other."""
Item = TypeVar("Item")


def waves(works: Sequence[Work]) -> list[Jobs]:
    """Jobs of which none waits for another of its wave, the waves in order.

    An evaluation is a job; those that share a training are one, since the second waits for the first anyway.
    """
    jobs: dict[str, list[Work]] = {}
    for work in works:
        jobs.setdefault(work.lesson or work.id, []).append(work)
    job_of = {work.id: name for name, job in jobs.items() for work in job}
    before = {
        name: {job_of[stage] for work in job for stage in work.stages if stage in job_of} - {name}
        for name, job in jobs.items()
    }
    sorter, found = TopologicalSorter(before), list[Jobs]()
    sorter.prepare()
    while sorter.is_active():
        ready = set(sorter.get_ready())
        sorter.done(*ready)
        found.append([job for name, job in jobs.items() if name in ready])
    return found


def arrays(jobs: list[Item]) -> list[list[Item]]:
    """The jobs of a wave in as many arrays as they need."""
    return [jobs[start : start + LARGEST] for start in range(0, len(jobs), LARGEST)]
