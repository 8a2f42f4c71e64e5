"""A new plugin from the templates beside this file: `$name`, `$module` and the like are filled in."""

import importlib.util
import re
from importlib.resources import files
from pathlib import Path
from string import Template

from harness.card import Kind
from harness.errors import ConfigError

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def scaffold(name: str, kind: Kind, folder: Path) -> Path:
    """Write `folder/name`, an installable package that passes its contract, and return its folder.

    Raises:
        ConfigError: the name can't be one, or is taken by something installed; the folder is there already.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(f"expected a name of lower-case letters, digits and dashes, as my-method, got {name!r}")
    module = f"harness_{name.replace('-', '_')}"
    if importlib.util.find_spec(module):
        raise ConfigError(f"a package {module} is installed already; choose another name")
    target = folder / name
    if target.exists():
        raise ConfigError(f"{target} is there already; choose another name or --folder, or remove it")
    title = name.replace("-", " ").capitalize()
    words = {"name": name, "module": module, "title": title, "contract": f"{kind.capitalize()}Contract"}
    for path, text in _files(kind, name).items():
        file = target / Template(path).substitute(words)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(text).substitute(words))
    return target


def _files(kind: Kind, name: str) -> dict[str, str]:
    templates = files(__name__)
    wanted = {
        "pyproject.toml": templates / "pyproject.toml.txt",
        "$module/__init__.py": templates / kind / "init.py.txt",
        "$module/method.py": templates / kind / "method.py.txt",
        f"tests/test_{name.replace('-', '_')}.py": templates / kind / "test.py.txt",
    }
    return {path: template.read_text() for path, template in wanted.items()}
