import base64
import hashlib
import re
from datetime import date
from types import ModuleType
from urllib.parse import urldefrag, urljoin

import html5lib
from harness_leaderboard.pages import build

DAY = date(2026, 3, 2)


def pages(site: dict[str, bytes]) -> dict[str, str]:
    return {path: content.decode() for path, content in site.items() if path.endswith(".html")}


def parse(text: str):
    """The page as a tree; anything that is not valid HTML raises."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def harmless(script) -> bool:
    """Whether it loads one of the site's own files, or is data that no browser runs."""
    if source := script.get("src"):
        return bool(re.fullmatch(r"(\.\./)?static/[a-z]+\.js", source)) and not script.text
    return script.get("type") == "application/json" and not re.search("[<>&]", script.text)


def test_pages_are_valid_html(site: dict[str, bytes]):
    for text in pages(site).values():
        assert parse(text).tag == "html"  # anything that is not valid raises


def test_an_empty_store_gives_a_site(factory: ModuleType):
    site = dict(build([], DAY, "Nothing yet"))
    assert {path for path in site if path.endswith(".html")} == {
        *("index.html", "about.html", "compare.html"),
        *("cost.html", "teachers.html", "devices.html", "environments.html"),
    }
    for text in pages(site).values():
        parse(text)


def test_a_store_of_failures_gives_a_site_without_figures(factory: ModuleType):
    site = dict(build([factory.failed(factory.evaluation())], DAY, "Only failures"))
    for path, text in pages(site).items():
        parse(text)
        assert path == "about.html" or not re.search(r"\d\.\d{4}", re.sub(r"<style>.*?</style>", "", text, flags=re.S))


def test_no_link_is_broken_and_none_leaves_but_to_the_web(site: dict[str, bytes]):
    trees = {path: parse(text) for path, text in pages(site).items()}
    anchors = {path: {found.get("id") for found in tree.iter() if found.get("id")} for path, tree in trees.items()}
    seen = {"index.html"}
    for path, tree in trees.items():
        for link in tree.iter("a"):
            target = link.get("href")
            if target.startswith("https://"):
                continue
            assert not target.startswith(("/", "http", "file"))  # works below any path
            address, anchor = urldefrag(urljoin(path, target))
            assert address in site, f"{path} links to {target}"
            assert not anchor or anchor in anchors[address], f"{path} links to {target}"
            seen.add(address)
    assert set(trees) <= seen, "a page that nothing links to"


def test_ids_are_unique_and_labels_exist(site: dict[str, bytes]):
    for text in pages(site).values():
        ids = [found.get("id") for found in parse(text).iter() if found.get("id")]
        assert len(ids) == len(set(ids))
        labels = {found.get("aria-labelledby") for found in parse(text).iter()} - {None}
        assert labels <= set(ids)


def test_tables_say_what_their_cells_are(site: dict[str, bytes]):
    for text in pages(site).values():
        for table in parse(text).iter("table"):
            assert table.find("caption") is not None
            heads = list(table.iter("th"))
            assert all(head.get("scope") in ("col", "colgroup", "row") for head in heads)
            columns = sum(int(head.get("colspan", 1)) for head in table.find("thead").find("tr"))
            for row in table.find("tbody"):
                assert len(row) == columns


def test_nothing_is_fetched_and_the_policy_names_the_one_style_sheet(site: dict[str, bytes]):
    for text in pages(site).values():
        tree = parse(text)
        assert not [found.tag for found in tree.iter() if found.tag in ("img", "iframe", "object")]
        assert not [found for found in tree.iter() if found.get("style")]
        assert all(harmless(script) for script in tree.iter("script"))
        assert [link.get("href")[:5] for link in tree.iter("link")] == ["data:"]
        (style,) = tree.iter("style")
        hashed = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
        policy = next(meta.get("content") for meta in tree.iter("meta") if meta.get("http-equiv"))
        assert f"style-src 'sha256-{hashed}'" in policy
        assert policy.startswith("default-src 'none';")
        assert "url(" not in style.text
        assert "@import" not in style.text
