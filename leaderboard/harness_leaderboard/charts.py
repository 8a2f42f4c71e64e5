"""Charts by altair: a picture made while the site is built, and the specification that a script makes interactive.

Colours are the style sheet's own variables, so that both follow light and dark without a second picture. Fonts are
measured as Liberation Sans, which vl-convert brings along: no machine's fonts change a byte.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

from harness_leaderboard.public import visible, without_places
from harness_leaderboard.svg import tidy

VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
"""The version that altair writes and the bundle reads."""
GROUND, INK, SOFT = "var(--ground)", "var(--ink)", "var(--soft)"
LINE, STRONG, MARK = "var(--line)", "var(--strong)", "var(--link)"
"""Colours of the style sheet."""
WIDTH, HEIGHT = 300, 190
"""Of the drawn area, in pixels of a phone."""
FONT = "Liberation Sans"
ROWS = "rows"
"""Name of the values in a specification."""

Values = Sequence[Mapping[str, Any]]
"""What is drawn: one mapping a mark."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A chart, ready for a page."""

    told: str
    """What it shows, in words and numbers."""
    svg: Markup
    """The picture."""
    spec: Markup
    """The Vega-Lite specification as JSON that may stand in a script element."""


def base() -> alt.Chart:
    """A chart of the values that `picture` gets; they aren't altair's, which would check each of them."""
    return alt.Chart(alt.NamedData(ROWS))


def specification(chart: Any) -> Mapping[str, Any]:
    """An altair chart made of `base`, with the site's looks; checking it takes longer than drawing it."""
    return chart.properties(width=WIDTH, height=HEIGHT).configure(**_config()).to_dict()


def picture(spec: Mapping[str, Any], rows: Values, told: str) -> Picture:
    """A chart.

    Args:
        spec: made by `specification`; may serve many charts.
        rows: what it draws; foreign texts in it have gone through `foreign`.
        told: what it shows, in words and numbers.
    """
    values = [{name: _short(value) for name, value in row.items()} for row in rows]
    whole = {**spec, "description": told, "datasets": {ROWS: values}}
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return Picture(told=told, svg=_drawn(text), spec=_harmless(text))


def foreign(text: str) -> str:
    """A foreign text as it may stand in a chart."""
    return visible(without_places(text))


def bundle() -> bytes:
    """The script that draws specifications in a browser: Vega, Vega-Lite and vega-embed."""
    return vl_convert.javascript_bundle().encode()  # pyright: ignore[reportCallIssue] - what its stub asks for is optional


@cache
def _drawn(spec: str) -> Markup:
    """The picture; equal specifications are drawn once. Nothing is fetched."""
    svg = vl_convert.vegalite_to_svg(json.loads(spec), vl_version=VEGA_LITE, allowed_base_urls=[])
    return Markup(tidy(svg))


def _harmless(spec: str) -> Markup:
    """JSON without a character that HTML could take for markup."""
    for character in "<>&":
        spec = spec.replace(character, f"\\u{ord(character):04x}")
    return Markup(spec)


def _short(value: Any) -> Any:
    """A number with no more digits than a screen can show."""
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _config() -> dict[str, Any]:
    return {
        "aria": False,
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": "transparent"},
        "axis": {
            "domainColor": STRONG,
            "gridColor": LINE,
            "labelColor": SOFT,
            "labelFontSize": 11,
            "tickColor": STRONG,
            "tickCount": 5,
            "titleColor": INK,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "titlePadding": 8,
        },
    }
