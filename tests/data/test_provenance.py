"""What SOURCE.md says of a folder."""

from pathlib import Path

import pytest

from harness.data.provenance import Provenance, provenance
from harness.errors import DataError

TEXT = """# My collection

Where from: a web page (commit abc: the newest).
Citation: A. Author, "A Title: with a colon", 2020.
**Licence or terms:** CC BY 4.0
- Languages: en, zh-Hant
Revision: 2
Exclude self: Yes

Licence: of something else, further down.
"""


def test_lines_are_taken_as_they_are_found(tmp_path: Path):
    (tmp_path / "SOURCE.md").write_text(TEXT)
    assert provenance(tmp_path) == Provenance(
        title="My collection",
        source="a web page (commit abc: the newest).",
        citation='A. Author, "A Title: with a colon", 2020.',
        licence="CC BY 4.0",
        languages=("en", "zh-Hant"),
        revision="2",
        exclude_self=True,
    )


@pytest.mark.parametrize("text", [None, "", "Just prose.\n## Counts\n- documents: 3\n"])
def test_what_is_not_said_is_empty(tmp_path: Path, text: str | None):
    if text is not None:
        (tmp_path / "SOURCE.md").write_text(text)
    assert provenance(tmp_path) == Provenance()


def test_a_scoring_property_is_never_guessed(tmp_path: Path):
    (tmp_path / "SOURCE.md").write_text("Exclude self: maybe\n")
    with pytest.raises(DataError, match="'maybe'"):
        provenance(tmp_path)
