"""The pages beside overview, tasks and methods: cost, teachers, devices, environments, and the runs as files."""

from collections.abc import Iterator

from harness_leaderboard import costs, environments, machines, runs, teachers
from harness_leaderboard.cost_charts import of_plane
from harness_leaderboard.render import Renderer
from harness_leaderboard.sections import Board

File = tuple[str, bytes]


def pages(board: Board, render: Renderer) -> Iterator[File]:
    """The pages that are about the whole board."""
    yield render("cost.html", "cost", **costs.content(render.arenas, of_plane))
    yield render("teachers.html", "teachers", **teachers.content(board))
    yield render("devices.html", "devices", **machines.content(board))
    yield render("environments.html", "environments", **environments.content(board))


def run_files(board: Board, render: Renderer) -> Iterator[File]:
    """The runs that are at hand, if the options publish them."""
    yield from runs.files(board, render.runs)
