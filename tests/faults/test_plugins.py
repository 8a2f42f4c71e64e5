"""Plugins that raise, leave, hang, print, run out of memory, or return what no contract allows."""

import pytest

GARBAGE = {
    "NaN": "is NaN",
    "infinite score": "infinite",
    "unknown row": "no such document",
    "row twice": "comes twice",
    "order of scores": "descending",
    "order of queries": "order of the queries",
    "too few queries": "is missing",
    "dtype": "float64",
    "shape": "expected rows and scores of shape",
    "None": "NoneType",
}
"""Kind → what must be said of it."""

MISHAPS = {
    "raise": "RuntimeError: planted",
    "exit": "exit status 3",
    "exit 0": "exit status 0",
    "SystemExit": "exit status 0",
    "kill": "signal 9",
    "hang": "(--time-limit)",
}
"""Kind → what must be said of it."""

STEPS = {"index": 24, "search": 20, "save": 20, "query": 200, "train": 5, "teach": 60, "read": 10}
"""How often each is come by, at least, in a plan of which some evaluations fail."""


def test_garbage_is_never_a_number(bench):
    def inject(lab, chance):
        steps = chance.sample(range(1, 15), len(GARBAGE))
        lab.plant(*((kind, "search", step) for kind, step in zip(GARBAGE, steps, strict=True)))
        lab.harness(*bench.plan, status=1)
        said = lab.errors()
        if not lab.struck:
            return False
        for words in GARBAGE.values():
            (error,) = (error for error in said if words in error)
            assert error.startswith("ContractError: faulty")
        assert len(said) == len(GARBAGE), said
        return True

    bench.try_out(*(f"a plugin returns garbage: {kind}" for kind in GARBAGE), inject=inject)


def test_mishaps_stay_with_their_evaluation(bench):
    """`deaf` hangs and doesn't listen to SIGTERM either."""

    def inject(lab, chance):
        kinds = [chance.choice(["hang", "deaf"]) if kind == "hang" else kind for kind in MISHAPS]
        places = chance.sample(sorted(STEPS), len(MISHAPS))
        moments = [(place, chance.randint(1, STEPS[place] // 2)) for place in places]
        lab.plant(*((kind, *moment) for kind, moment in zip(kinds, moments, strict=True)))
        lab.harness(*bench.plan, "--time-limit", f"{3 + bench.seconds / 4:.1f}", status=1)
        if not lab.struck:
            return False
        said = lab.errors()
        assert len(said) == len(MISHAPS), said
        assert all(any(words in error for error in said) for words in MISHAPS.values()), said
        assert len(lab.stored()) == len(bench.undisturbed), "the others go on"
        return True

    names = {"raise": "raises", "kill": "is killed for memory", "exit": "exits with 3", "exit 0": "exits with 0"}
    names |= {"SystemExit": "raises SystemExit", "hang": "hangs, half of them deaf to SIGTERM"}
    bench.try_out(*(f"a plugin {names[kind]}" for kind in MISHAPS), inject=inject)


def test_what_is_printed_or_halved_changes_nothing(bench):
    pytest.importorskip("torch")

    def inject(lab, chance):
        place = chance.choice(sorted(STEPS.keys() - {"read"}))
        lab.plant(("print", place, chance.randint(1, STEPS[place] // 2)), ("memory", "read", chance.randint(1, 10)))
        out = lab.harness(*bench.plan)
        assert "planted on" not in out
        with lab.opened() as store:
            halved = [one.cost["batches_halved"] for one in store.evaluations() if "batches_halved" in one.cost]
        assert halved == [1.0]
        return lab.struck

    bench.try_out("a plugin writes to stdout", "memory runs out while encoding", inject=inject)
