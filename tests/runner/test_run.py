"""`harness run` end to end, in processes of its own."""

import json
import shutil

from tests.runner.conftest import on_both

pytestmark = on_both


def test_plan_is_the_product_and_is_done_once(lab):
    words = ["run", "--plugin", "toy", "--task", "small", "--task", "other", "--seed", "1", "--seed", "2"]
    assert "4 evaluations, 4 to run" in lab.harness(*words, "--dry-run")
    assert lab.results() == []
    assert "4 done, 0 done before, 0 failed" in lab.harness(*words)
    assert "0 done, 4 done before, 0 failed" in lab.harness(*words)
    assert {(row["task"], row["seed"], row["state"]) for row in lab.results()} == {
        (task, seed, "done") for task in ("small", "other") for seed in (1, 2)
    }


def test_changed_option_task_or_seed_is_another_evaluation(lab):
    lab.harness("run", "--plugin", "toy", "--task", "small")
    assert "1 done" in lab.harness("run", "--plugin", "toy", "--task", "small", "-o", "weight=2")
    assert "1 done" in lab.harness("run", "--plugin", "toy", "--task", "small", "--seed", "7")
    with (lab.folder / "data" / "small" / "corpus.jsonl").open("a") as corpus:
        corpus.write(json.dumps({"_id": "d999", "text": "one more"}) + "\n")
    assert "1 done, 0 done before" in lab.harness("run", "--plugin", "toy", "--task", "small")
    assert len(lab.results()) == 4


def test_edited_source_is_never_answered_from_the_store(lab):
    lab.toys = shutil.copytree(lab.toys, lab.folder / "toys")
    lab.harness("run", "--plugin", "toy", "--task", "small")
    source = lab.toys / "harness_toy" / "method.py"
    source.write_text(source.read_text().replace("len(q & d)", "2.0 * len(q & d)"))
    assert "1 done, 0 done before" in lab.harness("run", "--plugin", "toy", "--task", "small")


def test_one_failure_is_recorded_and_the_others_go_on(lab):
    out = lab.harness("run", "--plugin", "toy", "--task", "small", "--task", "other", "-o", "fault=raise", status=1)
    assert "0 done, 0 done before, 2 failed" in out
    assert "RuntimeError: planted" in out
    assert "1 done" in lab.harness("run", "--plugin", "toy", "--task", "small")
    states = sorted(row["state"] for row in lab.results())
    assert states == ["done", "failed", "failed"]


def test_garbage_is_refused_and_never_scored(lab):
    assert "NaN" in lab.harness("run", "--plugin", "toy", "--task", "small", "-o", "fault=nan", status=1)
    (row,) = lab.results()
    assert (row["state"], row["measures"]) == ("failed", {})


def test_worker_that_is_killed_or_exits_is_recorded_and_the_rest_is_done(lab):
    for fault, word in (("kill", "signal 9"), ("exit", "exit status 3")):
        out = lab.harness(
            "run", "--plugin", "toy", "--task", "small", "--task", "other", "-o", f"fault={fault}", status=1
        )
        assert out.count(word) >= 2, out
    assert [row["state"] for row in lab.results()] == ["failed"] * 4


def test_failed_evaluation_is_tried_again(lab):
    words = ["run", "--plugin", "toy", "--task", "small", "-o", "fault=raise"]
    lab.harness(*words, status=1)
    assert "1 failed" in lab.harness(*words, status=1)
    assert len(lab.results()) == 1


def test_plugin_output_stays_out_of_ours(lab):
    out = lab.harness("run", "--plugin", "toy", "--task", "small", "-o", "fault=print")
    assert "noise on stdout" not in out


def test_first_stage_is_evaluated_first_and_recorded_by_id(lab):
    assert "2 done" in lab.harness("run", "--plugin", "toy-over", "--task", "small", "-o", "base.weight=3")
    rows = {row["method"]: row for row in lab.results()}
    detail = json.loads(lab.harness("results", "show", rows["toy-over"]["id"], "--format", "json"))
    assert detail["first_stages"] == [rows["toy"]["id"]]
    assert rows["toy"]["config"]["weight"] == 3
    assert rows["toy-over"]["measures"] != rows["toy"]["measures"]


def test_failed_first_stage_fails_what_starts_from_it(lab):
    out = lab.harness("run", "--plugin", "toy-over", "--task", "small", "-o", "base.fault=raise", status=1)
    assert "2 failed" in out
    assert "first stage" in out


def test_recorded_command_makes_the_same_evaluation(lab):
    lab.harness("run", "--plugin", "toy", "--task", "small", "-o", "weight=2.5", "-o", "noise=true", "--seed", "3")
    (row,) = lab.results()
    words = row["command"].split()
    assert words[0] == "harness"
    assert "0 done, 1 done before" in lab.harness(*words[1:])


def test_refused_before_anything_runs(lab):
    assert "'weight'" in lab.harness("run", "--plugin", "toy", "--task", "small", "-o", "wieght=1", status=2)
    assert "devices register" in lab.harness(
        "run", "--plugin", "toy", "--task", "small", "--device", "lab-gpu", status=2
    )
    assert "split" in lab.harness("run", "--plugin", "toy", "--task", "small", "--split", "dev", status=2)
    for seed in ("-1", str(2**32)):
        assert "a seed from 0" in lab.harness("run", "--plugin", "toy", "--task", "small", "--seed", seed, status=2)
    assert lab.results() == []


def test_stored_run_is_scored_by_measures_that_nobody_asked_for_at_first(lab):
    lab.harness("run", "--plugin", "toy", "--task", "small")
    (row,) = lab.results()
    words = ["score", "--evaluation", row["id"][:8], "--measure", "nDCG@10", "--measure", "P@4", "--format", "json"]
    scored = json.loads(lab.harness(*words))
    assert scored["measures"]["nDCG@10"] == row["measures"]["nDCG@10"]
    assert scored["measures"]["P@4"] == 0.25  # each query has one relevant document, and it comes first
    assert "or --evaluation ID alone" in lab.harness(*words, "--task", "other", status=2)
    with (lab.folder / "data" / "small" / "corpus.jsonl").open("a") as corpus:
        corpus.write(json.dumps({"_id": "d999", "text": "one more"}) + "\n")
    assert "no longer what evaluation" in lab.harness(*words, status=2)
