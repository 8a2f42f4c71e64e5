"""Where the harness keeps what it makes: `$HARNESS_HOME`, or `~/.harness`."""

import os
from pathlib import Path


def home() -> Path:
    """The folder of the database, built corpora, signals and artefacts; made if it is not there."""
    folder = Path(os.environ.get("HARNESS_HOME") or Path.home() / ".harness").expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder
