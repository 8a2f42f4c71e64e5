"""A static leaderboard site: what a store holds, as pages that open from disk. See docs/leaderboard.md."""

from typing import Any

from harness import hookimpl


@hookimpl
def harness_commands(cli: Any) -> None:
    """Add `harness leaderboard`."""
    from harness_leaderboard.command import leaderboard

    cli.add_command(leaderboard)
