import pytest
from harness_leaderboard.public import link, publish, slug, unique, visible, without_places

from harness.store.places import last_part


@pytest.mark.parametrize("url", ["https://arxiv.org/abs/1", "http://a.org:8080/x?y=1#z", "https://ü.example/"])
def test_web_addresses_become_links(url: str):
    assert link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "javascript://example.org/%0aalert(1)",
        "ftp://example.org/x",
        "data:text/html,<script>",
        "file:///etc/passwd",
        "//evil.example",
        "https:///nohost",
        "https://[broken",
        "https://good.example@evil.example/",
        "https://a.example/\u202egro.live",
        "https://a b",
        "",
        None,
        7,
    ],
)
def test_nothing_else_does(url: object):
    assert link(url) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("run -o model=/home/me/models/minilm-l6 --seed 0", "run -o model=…/minilm-l6 --seed 0"),
        ("open('/data/x/corpus.jsonl') failed", "open('…/corpus.jsonl') failed"),
        ("file:///srv/x/y.py", "…/y.py"),
        ("../lab/data", "…/data"),
        ("~/models/x/", "…/x"),
        (r"C:\models\x", "…/x"),
    ],
)
def test_folders_of_a_machine_are_cut(text: str, shown: str):
    assert without_places(text) == shown


@pytest.mark.parametrize(
    "text",
    ["https://a.org/b/c", "org/model", "and/or", "a / b", "//", "/name", "~ 5", r"\w+", "/[a-z]+/i", "method.py:40"],
)
def test_what_is_no_folder_stays(text: str):
    assert without_places(text) == text


def test_published_values_are_cut_at_every_depth_and_keep_all_keys():
    value = {"b": [{"x": "/a/b/c"}], "/u/one/m": 1, "/u/two/m": 2}
    assert publish(value) == {"…/m": 1, "…/m-2": 2, "b": [{"x": "…/c"}]}


def test_characters_that_cannot_be_seen_are_shown_as_such():
    assert visible("a\u202eb\u200fc\x00d\ud800e\u200bf") == "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf"
    assert visible("שלום עולם 日本 é\n") == "שלום עולם 日本 é\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("BM25", "bm25"),
        ("../../etc/passwd", "etc-passwd"),
        ('a"><script>', "a-script"),
        ("日本", "x"),
        ("a" * 200, "a" * 60),
    ],
)
def test_file_names_are_safe(text: str, name: str):
    assert slug(text) == name


def test_file_names_are_unique_even_beside_numbered_ones():
    assert unique(["a", "a", "a-2", "b"]) == ["a", "a-2", "a-2-2", "b"]


@pytest.mark.parametrize(("path", "name"), [("/a/b/minilm/", "minilm"), ("org/model", "model"), ("pip:x", "pip:x")])
def test_a_checkpoint_is_called_by_its_last_part(path: str, name: str):
    assert last_part(path) == name
