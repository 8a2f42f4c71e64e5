"""`harness doctor`: what is well, what is not, and the exit status."""

import json

import pytest

from harness.cli.doctor import offline


def findings(site, *words, status=0, **variables):
    out = site.harness("doctor", "--format", "json", *words, status=status, **variables).stdout
    return {finding["about"]: finding for finding in json.loads(out)}


def test_all_is_well(site, own_home):
    site.add("good")
    found = findings(site)
    assert {finding["state"] for finding in found.values()} == {"ok"}
    assert "good" in found["plugins"]["detail"]
    assert str(own_home) in found["home"]["detail"]
    assert "0 evaluations done" in found["store"]["detail"]
    assert "cpu" in found["device"]["detail"]
    assert "numpy" in found["packages"]["detail"]


@pytest.mark.parametrize(
    ("hub", "datasets", "said"),
    [("1", "1", "offline"), ("0", "1", "HF_HUB_OFFLINE=1"), ("", "", "HF_DATASETS_OFFLINE=1")],
)
def test_offline_mode(monkeypatch, hub, datasets, said):
    monkeypatch.setenv("HF_HUB_OFFLINE", hub)
    monkeypatch.setenv("HF_DATASETS_OFFLINE", datasets)
    assert said in offline().detail


def test_home_that_cannot_be_written_to(site, tmp_path):
    (tmp_path / "file").touch()
    found = findings(site, status=1, HARNESS_HOME=str(tmp_path / "file" / "home"))
    assert found["home"]["state"] == found["store"]["state"] == "broken"


def test_store_that_cannot_be_opened(site, tmp_path):
    (tmp_path / "broken.db").write_text("this is no database")
    found = findings(site, "--store", str(tmp_path / "broken.db"), status=1)
    assert found["store"]["state"] == "broken"
    assert found["home"]["state"] == "ok"


def test_torch_that_cannot_be_imported(site):
    (site.folder / "torch.py").write_text("raise ImportError('libcudart is missing')")
    found = findings(site, status=1)
    assert "libcudart is missing" in found["torch"]["detail"]


def test_as_text(site):
    site.add("bad", "import no_such_module_xyz")
    lines = site.harness("doctor", status=1).stdout.splitlines()
    (broken,) = [line for line in lines if line.startswith("BROKEN")]
    assert "harness-bad 1.0" in broken
    assert all(line.startswith("ok") for line in lines if line != broken)
