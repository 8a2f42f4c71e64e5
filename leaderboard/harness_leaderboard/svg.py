"""A chart as Vega draws it → SVG for a page: small, the same on every machine, and without text for screen readers.

What is said of the chart stands on the figure around it; the marks' own roles and labels would be read one by one.
"""

import re
from xml.etree import ElementTree

NAMESPACES = ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
DROPPED = ("role", "aria-label", "aria-roledescription", "aria-hidden", "pointer-events", "class", "version")
"""Attributes that a picture has no use for."""
USUAL = {"opacity": "1", "stroke-width": "1"}
"""Values that hold without being stated."""
LONG = re.compile(r"-?\d+\.\d{3,}")
"""Numbers of more digits than a screen can show."""


def tidy(svg: str) -> str:
    """The drawing for a page, `class="picture"`, as large as its column allows.

    Args:
        svg: as vl-convert writes it.
    """
    root = ElementTree.fromstring(svg.replace(NAMESPACES, "", 1))
    box = root.attrib["viewBox"]
    _clear(root)
    root.attrib.clear()
    root.attrib.update({"class": "picture", "viewBox": box, "aria-hidden": "true", "focusable": "false"})
    return ElementTree.tostring(root, encoding="unicode")


def _clear(element: ElementTree.Element) -> None:
    """Remove what can't be seen from the element and all in it."""
    for name in DROPPED:
        element.attrib.pop(name, None)
    for name, value in list(element.attrib.items()):
        if USUAL.get(name) == value:
            del element.attrib[name]
        else:
            element.set(name, LONG.sub(_short, value))
    for part in list(element):
        _clear(part)
        if _empty(part):
            element.remove(part)


def _short(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _empty(element: ElementTree.Element) -> bool:
    """Whether nothing of it shows: a group without parts, a path without length or colour."""
    if element.tag == "g":
        return len(element) == 0
    colours = {element.get("fill", "none"), element.get("stroke", "none")}
    return element.tag == "path" and (element.get("d", "") in ("", "M0,0h0v0h0Z") or colours <= {"none", "transparent"})
