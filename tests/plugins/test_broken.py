"""A plugin that is broken, in any way, is reported with distribution, version and reason; all others keep working."""

import json

import pytest

RIGHT_CARD = 'Card(name="bad", kind="retriever", summary="s", method="m:f"'
BROKEN = {
    "import fails": ("import no_such_module_xyz", "no_such_module_xyz"),
    "syntax error": ("def :", "SyntaxError"),
    "raises": ("raise RuntimeError('planted\\nin two lines')", "RuntimeError: planted in two lines"),
    "exits": ("raise SystemExit(0)", "SystemExit"),
    "unknown hook": (
        "from harness import hookimpl\n@hookimpl\ndef harness_retreivers():\n    return []",
        "harness_retreivers",
    ),
    "unknown argument": (
        "from harness import hookimpl\n@hookimpl\ndef harness_retrievers(colour):\n    return []",
        "colour",
    ),
    "other API version": (
        f"from harness import Card, hookimpl\n@hookimpl\ndef harness_retrievers():\n    return [{RIGHT_CARD}, api=99)]",
        "plugin API 99",
    ),
    "card of another name": (
        "from harness import Card, hookimpl\n@hookimpl\ndef harness_retrievers():\n"
        '    return [Card(name="good", kind="retriever", summary="s", method="m:f")]',
        "'good'",
    ),
    "card in another hook": (
        f"from harness import Card, hookimpl\n@hookimpl\ndef harness_teachers():\n    return [{RIGHT_CARD})]",
        "in the other hook",
    ),
    "no card": (
        "from harness import hookimpl\n@hookimpl\ndef harness_retrievers():\n    return ['bad']",
        "expected cards",
    ),
    "two cards of one name": (
        f"from harness import Card, hookimpl\n@hookimpl\ndef harness_retrievers():\n    return [{RIGHT_CARD})] * 2",
        "two cards named 'bad'",
    ),
}


@pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=list(BROKEN))
def test_broken_plugin_is_reported_and_the_others_work(site, source, reason):
    site.add("good")
    site.add("bad", source, version="3.4")
    rows = site.rows()
    bad = rows["bad", "harness-bad"]
    assert (bad["state"], bad["version"]) == ("broken", "3.4")
    assert reason in bad["reason"]
    assert "harness-bad 3.4" in bad["reason"]
    assert rows["good", "harness-good"]["state"] == "ok"


def test_one_name_in_two_distributions_names_both(site):
    site.add("good")
    site.add("twin", module="harness_twin_a", distribution="first", version="1.1")
    site.add("twin", module="harness_twin_b", distribution="second", version="2.2")
    rows = site.rows()
    for distribution in ("first", "second"):
        reason = rows["twin", distribution]["reason"]
        assert "first 1.1" in reason
        assert "second 2.2" in reason
    assert rows["good", "harness-good"]["state"] == "ok"
    assert "share one name" in site.harness("plugins", "show", "twin", status=2).stderr


def test_one_card_in_two_distributions_names_both(site):
    site.add("a")
    site.add("a-b")
    site.add("a", site.folder.joinpath("harness_a_b", "__init__.py").read_text())  # `a` provides card `a-b` as well
    rows = site.rows()
    assert {row["state"] for row in rows.values()} == {"broken"}
    assert "both provide 'a-b'" in rows["a", "harness-a"]["reason"]


def test_doctor_reports_them_and_exits_1(site):
    site.add("good")
    site.add("bad", "import no_such_module_xyz", version="3.4")
    found = json.loads(site.harness("doctor", "--format", "json", status=1).stdout)
    (bad,) = [finding for finding in found if finding["state"] == "broken"]
    assert "harness-bad 3.4" in bad["detail"]
    assert "no_such_module_xyz" in bad["detail"]
    assert "good" in next(finding["detail"] for finding in found if finding["about"] == "plugins")


def test_use_of_a_broken_plugin_is_one_line_and_status_2(site):
    site.add("bad", "import no_such_module_xyz", version="3.4")
    for words in (
        ["plugins", "show", "bad"],
        ["plugins", "check", "bad"],
        ["run", "--plugin", "bad", "--task", "stdlib-docs"],
    ):
        done = site.harness(*words, status=2)
        assert done.stderr.count("\n") == 1
        assert "harness-bad 3.4" in done.stderr
        assert "no_such_module_xyz" in done.stderr


def test_second_card_of_a_broken_plugin_is_no_unknown_name(site):
    site.add("bad", "import no_such_module_xyz", version="3.4")
    assert "harness-bad 3.4" in site.harness("plugins", "show", "bad-distill", status=2).stderr


def test_only_the_plugin_asked_for_is_imported(site, tmp_path):
    site.add("other", f"open({str(tmp_path / 'imported')!r}, 'w').close()")
    site.add("good")
    assert "harness-good" in site.harness("plugins", "show", "good").stdout
    assert not (tmp_path / "imported").exists()
    assert site.rows()["other", "harness-other"]["kind"] == "extension"
    assert (tmp_path / "imported").exists()
