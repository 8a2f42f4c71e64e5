import re

import pytest


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_read(small_site: dict[str, bytes], scheme: str):
    style = re.search(r"<style>(.*?)</style>", small_site["index.html"].decode(), flags=re.DOTALL)
    assert style
    light, dark = style[1].split("@media screen and (prefers-color-scheme: dark)")
    colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    if scheme == "dark":
        colour |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark))
    pairs = [(ink, ground) for ink in ("ink", "soft", "link") for ground in ("ground", "raised", "tied")]
    pairs += [("best-ink", "best"), ("best-ink", "tied"), ("bad", "ground"), ("bad", "bad-ground"), ("bad", "raised")]
    for ink, ground in pairs:
        assert contrast(colour[ink], colour[ground]) >= 4.5, (ink, ground)  # WCAG 2.2, 1.4.3


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
