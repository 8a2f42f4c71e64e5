"""Scripts that pages load, all beside them: our own, and the table library's."""

import re
from collections.abc import Iterator
from importlib.resources import files

from harness_leaderboard import charts

TABLES = ("itables", "html")
"""Where the package of the table library (DataTables) keeps its bundle."""
OWN = ("data", "address", "formats", "exports", "statistics", "board", "compare", "charts")
"""Our own scripts."""


def scripts() -> Iterator[tuple[str, bytes]]:
    """Every script, by its path on the site; the library's own style is left out, ours has its parts."""
    for name in OWN:
        yield f"static/{name}.js", files("harness_leaderboard").joinpath(f"static/{name}.js").read_bytes()
    yield "static/vega.js", charts.bundle()
    bundle = files(TABLES[0]).joinpath(TABLES[1])
    yield "static/datatables.js", _classic(bundle.joinpath("dt_bundle.js").read_text("utf-8")).encode()


def _classic(module: str) -> str:
    """The bundle, which is a module, as a classic script: a page opened from disk may load no module.

    Its default export, the table class, becomes the global `DataTable`.
    """
    found = re.search(r"export\s*\{([^}]*)\};?", module)
    assert found, "the table library's bundle ends with what it exports"
    names = dict(reversed(part.split(" as ")) for part in found[1].split(","))
    body = module[: found.start()] + f"window.DataTable = {names['default'].strip()};" + module[found.end() :]
    return f"(() => {{\n{body}\n}})();\n"
