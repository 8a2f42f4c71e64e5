import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import altair as alt
import pytest
from harness_leaderboard.charts import base, bundle, foreign, picture, specification
from harness_leaderboard.svg import tidy

HOSTILE = "</script><img src=x onerror=alert(1)> \u202e & \"'"


def drawn(name: str = "a"):
    chart = base().mark_text(color="var(--ink)").encode(x="x:Q", y="y:Q", text="name:N", tooltip="name:N")
    return picture(specification(chart), [{"x": 1 / 3, "y": 2, "name": foreign(name)}], "One third.")


def test_a_picture_is_small_xml_that_says_nothing_to_screen_readers():
    root = ElementTree.fromstring(drawn().svg)
    assert (root.tag, root.get("class"), root.get("aria-hidden")) == ("svg", "picture", "true")
    assert root.get("width") is None
    assert re.fullmatch(r"0 0 \d+ \d+", root.get("viewBox") or "")
    names = {name for part in root.iter() if part is not root for name in part.attrib}
    assert not names & {"role", "aria-label", "aria-hidden", "style", "class"}
    assert not [part for part in root.iter("g") if len(part) == 0]


def test_every_colour_is_one_of_the_style_sheet():
    root = ElementTree.fromstring(drawn().svg)
    colours = {part.get(name) for part in root.iter() for name in ("fill", "stroke")} - {None, "none", "transparent"}
    assert colours
    assert all(re.fullmatch(r"var\(--[a-z]+\)", colour) for colour in colours)


def test_the_specification_holds_the_values_and_what_they_show():
    spec = json.loads(drawn().spec)
    assert spec["datasets"] == {"rows": [{"x": 0.33333, "y": 2, "name": "a"}]}
    assert spec["description"] == "One third."


def test_foreign_text_stays_text():
    found = drawn(HOSTILE)
    assert "<" not in found.spec
    assert json.loads(found.spec)["datasets"]["rows"][0]["name"] == HOSTILE.replace("\u202e", "\ufffd")
    assert "img" not in {part.tag for part in ElementTree.fromstring(found.svg).iter()}
    assert "<img" not in found.svg


def test_equal_charts_are_equal_bytes_in_every_process():
    code = (
        "import sys; from harness_leaderboard.charts import *;"
        "chart = base().mark_point().encode(x='x:Q', y='y:Q');"
        "print(picture(specification(chart), [{'x': 0.1, 'y': 3}, {'x': 70.5, 'y': 1}], 'told').svg)"
    )
    first, second = (subprocess.check_output([sys.executable, "-c", code], text=True) for _ in range(2))
    assert first == second
    assert first.startswith("<svg")


def test_numbers_are_as_short_as_a_screen_can_show():
    svg = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 1 1">'
    assert 'd="M1.24,0L-3,2"' in tidy(f'{svg}<path stroke="red" d="M1.23987,0L-2.99999,2"/></svg>')


@pytest.mark.parametrize("part", ['<path d="" stroke="red"/>', '<path d="M0,0h9"/>', "<g><g/></g>"])
def test_what_does_not_show_is_left_out(part: str):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 1 1">'
    assert len(ElementTree.fromstring(tidy(f"{svg}{part}</svg>"))) == 0


def test_the_bundle_reads_the_version_that_charts_are_written_in():
    version = alt.SCHEMA_VERSION.removeprefix("v").split(".")
    assert specification(base().mark_point())["$schema"].endswith(f"v{'.'.join(version)}.json")
    text = bundle().decode()
    assert "window.vegaEmbed=" in text
    assert "import " not in text[:200]
