import gc
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType

import html5lib
import pytest
from harness_leaderboard.pages import build

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
DAY = date(2026, 3, 2)


def pages(site: dict[str, bytes]) -> dict[str, str]:
    return {path: content.decode() for path, content in site.items() if path.endswith(".html")}


def without_style(content: bytes) -> bytes:
    """A page without its style sheet, that sheet's hash and drawn charts: a change of looks changes no golden file."""
    content = re.sub(rb"<style>.*?</style>", b"<style></style>", content, flags=re.DOTALL)
    content = re.sub(rb"sha256-[A-Za-z0-9+/=]+", b"sha256-", content)
    return re.sub(rb'<svg class="picture".*?</svg>', b'<svg class="picture"></svg>', content, flags=re.DOTALL)


def check_golden(site: dict[str, bytes], folder: Path):
    """With HARNESS_WRITE_GOLDEN=1 in the environment the golden files are written anew: read the difference."""
    made = {path: without_style(content) for path, content in site.items() if not path.startswith("static/")}
    if os.environ.get("HARNESS_WRITE_GOLDEN"):
        for path in folder.rglob("*"):
            path.unlink() if path.is_file() else None
        for path, content in made.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
    golden = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert sorted(made) == sorted(golden)
    assert [path for path in made if made[path] != golden[path]] == []


def test_the_site_is_the_golden_one(small_site: dict[str, bytes]):
    check_golden(small_site, GOLDEN)


def test_the_pages_of_a_closed_suite_are_the_golden_ones(closed_site: dict[str, bytes]):
    own = {path: text for path, text in closed_site.items() if "suites/" in path or "margin-mse" in path}
    assert len(own) == 4
    check_golden(own, HERE / "golden-closed")


PRINT_DIGEST = """
import hashlib, importlib.util, random, sys
from datetime import date
from harness_leaderboard.pages import build
spec = importlib.util.spec_from_file_location("factory", sys.argv[1])
factory = importlib.util.module_from_spec(spec)
spec.loader.exec_module(factory)
evaluations = factory.small()
random.Random(sys.argv[2]).shuffle(evaluations)
files = dict(build(evaluations, date(2026, 3, 2), "A small board"))
print(hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest())
"""


def test_order_and_process_change_no_byte():
    def digest(seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo" if seed == "1" else "UTC"}
        command = [sys.executable, "-c", PRINT_DIGEST, str(HERE / "factory.py"), seed]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    assert digest("1") == digest("2")


def test_the_order_of_keys_changes_no_byte(factory: ModuleType, small_site: dict[str, bytes]):
    def turned(value):
        return {key: turned(value[key]) for key in reversed(value)} if isinstance(value, dict) else value

    names = ("config", "calibration", "environment", "measures", "per_query", "cost")
    evaluations = [replace(one, **{name: turned(getattr(one, name)) for name in names}) for one in factory.small()]
    assert dict(build(evaluations, DAY, "A small board")) == small_site


def test_only_the_date_depends_on_the_date(factory: ModuleType, small_site: dict[str, bytes]):
    later = dict(build(factory.small(), date(2027, 1, 1), "A small board"))
    assert {path: content.replace(b"2027-01-01", b"2026-03-02") for path, content in later.items()} == small_site


def test_figures_stand_where_they_should(small_site: dict[str, bytes], factory: ModuleType):
    small = factory.small()
    bm25 = next(one for one in small if one.method.name == "bm25" and one.task.name == "nfcorpus")
    page = next(text for path, text in pages(small_site).items() if path.startswith("methods/bm25") and bm25.id in text)
    assert f"{bm25.measures['nDCG@10']:.4f}" in page
    deviation = f"{bm25.measures['nDCG@10'] - 0.3218:+.4f}".replace("-", "−")
    assert deviation in page
    commands = ["".join(found.itertext()) for found in html5lib.parse(page, namespaceHTMLElements=False).iter("pre")]
    assert bm25.command in commands
    cascade = next(text for path, text in pages(small_site).items() if path.startswith("methods/cascade"))
    assert f'#evaluation-{bm25.id}"' in cascade  # its first stage
    assert "RuntimeError: out of memory" in cascade


def test_a_first_stage_that_the_store_lacks_is_named_without_a_link(factory: ModuleType):
    site = dict(build([factory.evaluation(first_stages=("feedfeedfeedfeed",))], DAY, "Test"))
    (page,) = [text for path, text in pages(site).items() if path.startswith("methods/")]
    assert "<code>feedfeedfeedfeed</code> (not in this store)" in page


@pytest.mark.parametrize("whole", [True, False])
def test_a_build_leaves_the_collector_as_it_was(factory: ModuleType, whole: bool):
    files = build(factory.small(), DAY, "Test")
    next(files)
    assert not gc.isenabled()
    if whole:
        list(files)
    files.close()
    assert gc.isenabled()
