"""Where the harness keeps what it makes: `$HARNESS_HOME`, or `~/.harness`."""

import os
from pathlib import Path


def home() -> Path:
    """The folder of the database, built corpora, signals and artefacts; made if it is not there."""
    folder = Path(os.environ.get("HARNESS_HOME") or Path.home() / ".harness").expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def existing_folder(text: str) -> Path | None:
    """The folder that a user names, `~` or not; None if there is none, or the text can't be a path at all."""
    path = os.path.expanduser(text)  # unlike pathlib's, raises nothing for a user that isn't here
    return Path(path).resolve() if text and os.path.isdir(path) else None
