"""`harness run --executor ray` on an emulated cluster: several nodes on this machine, each with workers of its own."""

import pytest

from harness.runner.artefacts import remove_leftovers
from tests.conftest import PATIENCE
from tests.runner.conftest import TOYS

pytest.importorskip("ray", reason="Ray is not installed: pip install 'retrieval-harness[ray]'")

PLAN = ["run", "--plugin", "toy", "--plugin", "toy-over", "--task", "small", "--task", "other", "--seed", "1"]
PLAN += ["--seed", "2", "-o", "toy.seconds=0.7", "-o", "toy.noise=true", "-o", "toy-over.base.noise=true"]
ON_RAY = ["--executor", "ray"]


@pytest.fixture(scope="module")
def cluster():
    """Two nodes of one core, and a head that has none; each test's home reaches them with its command."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TOYS))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        started = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        patch.setenv("RAY_ADDRESS", started.address)
        started.workers = [started.add_node(num_cpus=1) for _ in range(2)]
        started.wait_for_nodes()
        yield started
        started.shutdown()


def swept(lab) -> bool:
    """Whether nothing is left in the work folder, once it has been swept as every command does."""
    with lab.opened() as store:
        remove_leftovers(store)
    return not list(lab.home.glob("work/*"))


def found(rows):
    """What must be the same wherever it was done."""
    return {row["id"]: (row["method"], row["task"], row["seed"], row["state"], row["measures"]) for row in rows}


def overlapping(rows):
    """How many evaluations began while another one was under way."""
    return sum(any(other["started"] < row["started"] < other["finished"] for other in rows) for row in rows)


def test_work_spreads_over_nodes_and_is_what_one_machine_finds(lab, cluster, tmp_path):
    out = lab.harness(*PLAN, *ON_RAY)
    assert "12 done, 0 done before, 0 failed" in out
    rows = lab.results()
    assert overlapping(rows) >= 3
    assert "0 done, 12 done before" in lab.harness(*PLAN, *ON_RAY)
    local = lab.fresh(tmp_path / "alone")
    local.harness(*PLAN)
    assert found(local.results()) == found(rows)


def test_a_killed_node_s_evaluations_are_done_by_another_once(lab, cluster):
    process = lab.start(*PLAN, *ON_RAY)
    lab.wait_for(lab.results)
    cluster.remove_node(cluster.workers[0], allow_graceful=False)
    out, _ = process.communicate(timeout=PATIENCE)
    assert "12 done, 0 done before, 0 failed" in out
    cluster.workers[0] = cluster.add_node(num_cpus=1)
    rows = lab.results()
    assert [row["state"] for row in rows] == ["done"] * 12
    lab.wait_for(lambda: swept(lab))


def test_a_plugin_that_takes_its_process_down_fails_alone(lab, cluster):
    words = ["run", "--plugin", "toy", "--task", "small", "--task", "other", "-o", "fault=kill"]
    assert "signal 9" in lab.harness(*words, *ON_RAY, status=1)
    assert [row["state"] for row in lab.results()] == ["failed"] * 2


def test_what_the_cluster_does_not_have_is_refused_at_once(lab, cluster):
    words = ["run", "--plugin", "toy", "--task", "small", *ON_RAY]
    assert "no node of the cluster has a cuda" in lab.harness(*words, "--device", "cuda", status=2)
    assert "did you mean 'address'" in lab.harness(*words, "-e", "adress=x", status=2)
    assert "no Ray cluster" in lab.harness(*words, "-e", "address=127.0.0.1:1", status=2)


def test_nodes_encode_one_corpus_together(lab, cluster):
    assert "1 done" in lab.harness("run", "--plugin", "slow-encoder", "--task", "other", "-o", "seconds=0.5", *ON_RAY)
    lines = (lab.folder / "home" / "encoded.log").read_text().splitlines()
    assert len({line.split(" ", 1)[1] for line in lines}) == len(lines) == 25
    assert len({line.split(" ", 1)[0] for line in lines}) == 2
