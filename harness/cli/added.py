"""Commands that plugins add to `harness` through the hook `harness_commands`."""

import importlib.util
from functools import cache
from pathlib import Path

import click

from harness.plugins import Plugin, new_manager, registry

HOOK = "harness_commands"


@cache
def commands() -> dict[str, click.Command]:
    """The commands of all plugins whose module names the hook, by name; no other plugin is imported.

    A plugin that is broken adds none: `harness plugins list` says why.
    """
    known = registry()
    named = [source for source in known.sources if _names_hook(source.entry_point.module)]
    loaded = [known.attempt(source) for source in named]
    return {name: found for plugin in loaded if isinstance(plugin, Plugin) for name, found in _commands(plugin).items()}


def command(name: str) -> click.Command | None:
    """The command of this name: from the plugin that has the same name, else from any.

    Raises:
        PluginBroken, PluginConflict: the plugin of this name can't be loaded.
    """
    plugin = registry().plugin(name)
    if plugin and (found := _commands(plugin).get(name)):
        return found
    return commands().get(name)


def _commands(plugin: Plugin) -> dict[str, click.Command]:
    group = click.Group()
    manager = new_manager()
    manager.register(plugin.module, name=plugin.source.name)
    manager.hook.harness_commands(cli=group)
    return dict(group.commands)


def _names_hook(module: str) -> bool:
    """Whether the source of this module contains the hook's name; it is read, not run."""
    try:
        spec = importlib.util.find_spec(module)
        return bool(spec and spec.origin) and HOOK in Path(str(spec.origin)).read_text(encoding="utf-8")  # type: ignore[union-attr]
    except (ImportError, ValueError, OSError):  # it can't be found or read: loading it would say so
        return False
