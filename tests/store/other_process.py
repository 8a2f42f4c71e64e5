"""Another process on a store, run by the tests: `other_process.py URL race|hold|put|open …`."""

import json
import pickle
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from harness.store import open_store


def wait_until(moment: float) -> None:
    while time.time() < moment:
        pass


def say(value: object) -> None:
    sys.stdout.write(f"{json.dumps(value)}\n")
    sys.stdout.flush()


def race(url: str, holder: str, rounds: str) -> None:
    """Try to get one resource after another, each at its moment; say which were got, and stay."""
    store = open_store(url)
    store.state("warm")
    start = hear()
    got = []
    for number in range(int(rounds)):
        wait_until(start + number * 0.03)
        if store.acquire(f"resource {number}", holder, 60):
            got.append(number)
    say(got)


def hold(url: str, resource: str) -> None:
    """Get a resource and stay."""
    store = open_store(url)
    wait_until(hear())
    say(store.acquire(resource, "the other", 60))


def put(url: str) -> None:
    """Put the evaluations that were given: those of each list by a thread of its own, one after the other."""
    store = open_store(url)
    wait_until(hear())
    with ThreadPoolExecutor(len(given)) as threads:
        list(threads.map(lambda its: [store.put(evaluation) for evaluation in its], given))
    say("stored")


def open_(url: str) -> None:
    """Open a store that may not be there yet."""
    wait_until(hear())
    say(open_store(url).state("warm"))


def hear() -> float:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    return float(sys.stdin.buffer.readline())


if __name__ == "__main__":
    given = pickle.load(sys.stdin.buffer)
    address, what, *words = sys.argv[1:]
    {"race": race, "hold": hold, "put": put, "open": open_}[what](address, *words)
    sys.stdin.buffer.read()
