from harness_leaderboard.labels import LONGEST, labels, options


def test_a_lone_configuration_needs_no_options():
    assert labels({("bm25", "d1"): {"k1": "0.9"}}) == {("bm25", "d1"): ("bm25", "")}


def test_only_what_differs_is_named():
    found = labels({("bm25", "d1"): {"k1": "0.9", "b": "0.4"}, ("bm25", "d2"): {"k1": "1.2", "b": "0.4"}})
    assert [text for _, text in found.values()] == ["k1=0.9", "k1=1.2"]


def test_checkpoint_folders_lose_their_place():
    config = {"model": "/home/me/minilm-l6", "hub": "org/mpnet", "prompt": "a/b"}
    found = options(config, {"/home/me/minilm-l6": "x", "org/mpnet": "y"})
    assert found == {"model": "minilm-l6", "hub": "mpnet", "prompt": "a/b"}


def test_two_folders_of_one_name_are_told_apart_by_digest():
    first = options({"model": "/a/minilm"}, ["/a/minilm"])
    second = options({"model": "/b/minilm"}, ["/b/minilm"])
    found = labels({("dense", "1111111"): first, ("dense", "2222222"): second})
    assert [text for _, text in found.values()] == ["#111111", "#222222"]


def test_nested_plugins_are_written_as_on_the_command_line():
    config = {
        "parts": [{"plugin": "bm25", "config": {"k1": 0.9}}, {"plugin": "dense", "config": {"model": "m"}}],
        "teacher": {"plugin": "cross-encoder", "config": {"batch": 8}},
        "weights": [1, None, True],
    }
    assert options(config) == {
        "parts": "bm25,dense",
        "parts.0.k1": "0.9",
        "parts.1.model": "m",
        "teacher": "cross-encoder",
        "teacher.batch": "8",
        "weights": "1,none,true",
    }


def test_another_nested_plugin_is_named_without_its_defaults():
    one = options({"base": {"plugin": "bm25", "config": {"k1": 0.9}}})
    two = options({"base": {"plugin": "dense", "config": {"model": "m"}}})
    found = labels({("cascade", "d1"): one, ("cascade", "d2"): two})
    assert [text for _, text in found.values()] == ["base=bm25", "base=dense"]


def test_long_values_are_cut_and_empty_ones_shown():
    found = labels({("dense", "d1"): {"prompt": "p" * 99}, ("dense", "d2"): {"prompt": ""}})
    assert [text for _, text in found.values()] == ["prompt=" + "p" * (LONGEST - 1) + "…", 'prompt=""']


def test_numbers_other_than_fp32_are_marked_even_on_a_lone_configuration():
    assert labels({("dense", "d1"): {"model": "m", "mode": "bf16"}}) == {("dense", "d1"): ("dense", "mode=bf16")}
