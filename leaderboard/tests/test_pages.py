import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import ModuleType
from urllib.parse import urldefrag, urljoin

import html5lib
from harness_leaderboard.pages import build

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
DAY = date(2026, 3, 2)


def pages(site: dict[str, bytes]) -> dict[str, str]:
    return {path: content.decode() for path, content in site.items() if path.endswith(".html")}


def parse(text: str):
    """The page as a tree; anything that is not valid HTML raises."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def without_style(content: bytes) -> bytes:
    """A page without its style sheet and that sheet's hash, so that a change of looks changes no golden file."""
    content = re.sub(rb"<style>.*?</style>", b"<style></style>", content, flags=re.DOTALL)
    return re.sub(rb"sha256-[A-Za-z0-9+/=]+", b"sha256-", content)


def test_the_site_is_the_golden_one(small_site: dict[str, bytes]):
    """With HARNESS_WRITE_GOLDEN=1 in the environment the golden files are written anew: read the difference."""
    made = {path: without_style(content) for path, content in small_site.items()}
    if os.environ.get("HARNESS_WRITE_GOLDEN"):
        for path in GOLDEN.rglob("*"):
            path.unlink() if path.is_file() else None
        for path, content in made.items():
            (GOLDEN / path).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / path).write_bytes(content)
    golden = {path.relative_to(GOLDEN).as_posix(): path.read_bytes() for path in GOLDEN.rglob("*") if path.is_file()}
    assert sorted(made) == sorted(golden)
    assert [path for path in made if made[path] != golden[path]] == []


PRINT_DIGEST = """
import hashlib, importlib.util, random, sys
from datetime import date
from harness_leaderboard.pages import build
spec = importlib.util.spec_from_file_location("factory", sys.argv[1])
factory = importlib.util.module_from_spec(spec)
spec.loader.exec_module(factory)
evaluations = factory.small()
random.Random(sys.argv[2]).shuffle(evaluations)
files = build(evaluations, date(2026, 3, 2), "A small board")
print(hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest())
"""


def test_order_and_process_change_no_byte():
    def digest(seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo" if seed == "1" else "UTC"}
        command = [sys.executable, "-c", PRINT_DIGEST, str(HERE / "factory.py"), seed]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    assert digest("1") == digest("2")


def test_only_the_date_depends_on_the_date(factory: ModuleType, small_site: dict[str, bytes]):
    later = build(factory.small(), date(2027, 1, 1), "A small board")
    assert {path: content.replace(b"2027-01-01", b"2026-03-02") for path, content in later.items()} == small_site


def test_pages_are_valid_html(small_site: dict[str, bytes]):
    for text in pages(small_site).values():
        parse(text)


def test_an_empty_store_gives_a_site(factory: ModuleType):
    site = build([], DAY, "Nothing yet")
    assert set(site) == {"index.html", "about.html", "data/evaluations.json", "data/evaluations.csv"}
    for text in pages(site).values():
        parse(text)


def test_a_store_of_failures_gives_a_site_without_figures(factory: ModuleType):
    site = build([factory.failed(factory.evaluation())], DAY, "Only failures")
    for path, text in pages(site).items():
        parse(text)
        assert path == "about.html" or not re.search(r"\d\.\d{4}", re.sub(r"<style>.*?</style>", "", text, flags=re.S))


def test_no_link_is_broken_and_none_leaves_but_to_the_web(small_site: dict[str, bytes]):
    trees = {path: parse(text) for path, text in pages(small_site).items()}
    anchors = {path: {found.get("id") for found in tree.iter() if found.get("id")} for path, tree in trees.items()}
    seen = {"index.html"}
    for path, tree in trees.items():
        for link in tree.iter("a"):
            target = link.get("href")
            if target.startswith("https://"):
                continue
            assert not target.startswith(("/", "http", "file"))  # works below any path
            address, anchor = urldefrag(urljoin(path, target))
            assert address in small_site, f"{path} links to {target}"
            assert not anchor or anchor in anchors[address], f"{path} links to {target}"
            seen.add(address)
    assert set(trees) <= seen, "a page that nothing links to"


def test_ids_are_unique_and_labels_exist(small_site: dict[str, bytes]):
    for text in pages(small_site).values():
        ids = [found.get("id") for found in parse(text).iter() if found.get("id")]
        assert len(ids) == len(set(ids))
        labels = {found.get("aria-labelledby") for found in parse(text).iter()} - {None}
        assert labels <= set(ids)


def test_tables_say_what_their_cells_are(small_site: dict[str, bytes]):
    for text in pages(small_site).values():
        for table in parse(text).iter("table"):
            assert table.find("caption") is not None
            heads = list(table.iter("th"))
            assert all(head.get("scope") in ("col", "colgroup", "row") for head in heads)
            columns = sum(int(head.get("colspan", 1)) for head in table.find("thead").find("tr"))
            for row in table.find("tbody"):
                assert len(row) == columns


def test_nothing_is_fetched_and_the_policy_names_the_one_style_sheet(small_site: dict[str, bytes]):
    import base64
    import hashlib

    for text in pages(small_site).values():
        tree = parse(text)
        assert not [found.tag for found in tree.iter() if found.tag in ("script", "img", "iframe", "object", "form")]
        assert not [found for found in tree.iter() if found.get("style") or found.get("src")]
        assert [link.get("href")[:5] for link in tree.iter("link")] == ["data:"]
        (style,) = tree.iter("style")
        hashed = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
        policy = next(meta.get("content") for meta in tree.iter("meta") if meta.get("http-equiv"))
        assert f"style-src 'sha256-{hashed}'" in policy
        assert policy.startswith("default-src 'none';")
        assert "url(" not in style.text
        assert "@import" not in style.text


def test_figures_stand_where_they_should(small_site: dict[str, bytes], factory: ModuleType):
    small = factory.small()
    bm25 = next(one for one in small if one.method.name == "bm25" and one.task.name == "nfcorpus")
    page = next(text for path, text in pages(small_site).items() if path.startswith("methods/bm25") and bm25.id in text)
    assert f"{bm25.measures['nDCG@10']:.4f}" in page
    deviation = f"{bm25.measures['nDCG@10'] - 0.3218:+.4f}".replace("-", "−")
    assert deviation in page
    assert bm25.command in page
    cascade = next(text for path, text in pages(small_site).items() if path.startswith("methods/cascade"))
    assert f'#evaluation-{bm25.id}"' in cascade  # its first stage
    assert "RuntimeError: out of memory" in cascade


def test_a_first_stage_that_the_store_lacks_is_named_without_a_link(factory: ModuleType):
    site = build([factory.evaluation(first_stages=("feedfeedfeedfeed",))], DAY, "Test")
    (page,) = [text for path, text in pages(site).items() if path.startswith("methods/")]
    assert "<code>feedfeedfeedfeed</code> (not in this store)" in page
