"""Files that a disk has damaged: each is named when it is wanted, made again or refused, and never used."""

import random
import shutil

import pytest

from harness.errors import CheckpointError
from harness.store.inspection import problems
from tests.conftest import PATIENCE


def flip(file, chance):
    """One bit is another."""
    content = bytearray(file.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)


def cut(file, chance):
    """The end is missing."""
    content = file.read_bytes()
    file.write_bytes(content[: chance.randrange(len(content))])


def overwrite(file, chance):
    """A page of a database holds anything."""
    content = bytearray(file.read_bytes())
    place = 4096 * chance.randrange(len(content) // 4096)
    content[place : place + 4096] = chance.randbytes(4096)
    file.write_bytes(content)


def spoil(files, chance, ways=(flip, cut)):
    """Damage one of several files in one of several ways; the file."""
    file = chance.choice(sorted(files))
    chance.choice(ways)(file, chance)
    return file


def forgotten(bench, lab, forget=lambda one: True):
    """The plan is done; then some evaluations are forgotten, so that what they are made of is wanted once more."""
    bench.finish(lab)
    with lab.opened() as store:
        store.remove(*(one.id for one in store.evaluations(per_query=False) if forget(one)))


def test_signal_shard(bench):
    def inject(lab, chance):
        forgotten(bench, lab, forget=lambda one: one.method.name == "faulty-taught")
        shard = spoil(lab.home.glob("signals/*/*/*.parquet"), chance)
        lab.harness(*bench.plan, status=1)
        said = lab.errors()
        assert said
        assert all(f"signal shard {shard.name} is damaged" in error for error in said), said
        shard.unlink()  # as the message says
        return True

    bench.try_out("a signal shard: a bit flipped or the end missing", inject=inject)


def test_kept_index(bench):
    def inject(lab, chance):
        forgotten(bench, lab)
        spoil((path for path in lab.home.glob("indexes/*/**/*") if path.is_file()), chance)
        lab.harness(*bench.plan)
        with lab.opened() as store:
            made = [one.id for one in store.evaluations(per_query=False) if "index_stored" not in one.cost]
        assert len(made) == 1, "the damaged one is made again, and no other"
        return True

    bench.try_out("a kept index: a bit flipped or the end missing", inject=inject)


def test_corpus(bench):
    def inject(lab, chance):
        forgotten(bench, lab)
        corpus = spoil(lab.home.glob("data/*/[ci]*.*"), chance).parent
        out = lab.harness(*bench.plan, status=2)
        assert f"{corpus}: expected a built corpus" in out
        shutil.rmtree(corpus)  # as the message says
        return True

    bench.try_out("a corpus in Arrow files: a bit flipped or the end missing", inject=inject)


def test_run_of_a_first_stage(bench):
    def inject(lab, chance):
        forgotten(bench, lab, forget=lambda one: one.method.name == "faulty-over")
        with lab.opened() as store:
            stages = [one for one in store.evaluations(method="faulty") if one.config["weight"] == 2]
            runs = {store.artefact_path(file): one.id for one in stages for file in one.artefacts if file.name == "run"}
            file = spoil(runs, chance)
            assert [problem for problem in problems(store) if "was changed" in problem]
        lab.harness(*bench.plan, status=1)
        (error,) = lab.errors()
        assert f"{file.parent.name}/run.parquet was changed" in error
        with lab.opened() as store:
            failed = [one.id for one in store.evaluations(state="failed")]
            store.remove(runs[file], *failed)  # as the message says
        return True

    bench.try_out("a stored run: a bit flipped or the end missing", inject=inject)


def test_database(bench):
    """Found by `harness store check`, or without any effect on what is read."""

    def inject(lab, chance):
        bench.finish(lab)
        file, copy = lab.home / "harness.db", lab.folder / "copy.db"
        shutil.copy(file, copy)
        spoil([file], chance, ways=(overwrite, cut))
        process = lab.start("store", "check")
        out, said = process.communicate(timeout=PATIENCE)
        assert "Traceback" not in said
        assert process.returncode in (1, 2) or lab.stored() == bench.undisturbed, out
        for left in lab.home.glob("harness.db*"):
            left.unlink()
        shutil.copy(copy, file)
        return True

    bench.try_out("the SQLite file: a page overwritten or the end missing", inject=inject)


def test_training_checkpoint(tmp_path, tally, training):
    undisturbed = training().run(tmp_path / "undisturbed")

    def inject(number):
        chance, folder = random.Random(number), tmp_path / str(number)
        with pytest.raises(InterruptedError):
            training(stop_at=chance.randint(2, 12)).run(folder)
        spoil((path for path in folder.rglob("*") if path.is_file()), chance)
        with pytest.raises(CheckpointError, match=r"expected the checkpoint .* as it was written"):
            training().run(folder)
        shutil.rmtree(folder)  # as the message says
        return training().run(folder) == undisturbed

    tally("a checkpoint of a training: a bit flipped or the end missing", inject)
