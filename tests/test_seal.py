import pytest

from harness.seal import sealed, unsealed


def test_any_change_of_a_note_or_of_a_file_beside_it_is_named(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"content")
    text = sealed({"step": 7}, tmp_path, ["a.bin"])
    assert unsealed(text, tmp_path) == {"step": 7}
    with pytest.raises(ValueError, match="note"):
        unsealed(text.replace("7", "8", 1), tmp_path)
    (tmp_path / "a.bin").write_bytes(b"Content")
    with pytest.raises(ValueError, match=r"a\.bin"):
        unsealed(text, tmp_path)


def test_notes_of_older_harnesses_are_taken_as_they_are(tmp_path):
    assert unsealed('{"step": 7}', tmp_path) == {"step": 7}
