"""Entry points → cards. The one discovery path: ours and third parties' plugins walk it alike.

A broken plugin is reported, with distribution, version and reason, and never stops the others. Only the plugins that a
name can come from are imported.
"""

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import Distribution, EntryPoint, distributions
from types import ModuleType
from typing import cast

import pluggy

from harness import hookspecs
from harness.card import API_VERSION, KINDS, Card, Kind
from harness.errors import HarnessError, PluginBroken, PluginConflict, PluginNotFound

GROUP = "harness"


@dataclass(frozen=True)
class Source:
    """One entry point and where it was installed from."""

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint

    def __str__(self) -> str:
        """`name (distribution version)`, as it is shown in messages."""
        return f"{self.name} ({self.distribution} {self.version})"


@dataclass(frozen=True)
class Plugin:
    """A plugin that could be loaded."""

    source: Source
    module: ModuleType
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Broken:
    """A plugin that could not, and why."""

    source: Source
    error: HarnessError


def scan() -> list[Source]:
    """The entry points of our group over all installed distributions, by name; nothing is imported.

    Reads `entry_points.txt` only where it mentions the group: parsing all of them takes most of a short command's time.
    """
    found: dict[tuple[str, str], Source] = {}
    for distribution in distributions():
        text = distribution.read_text("entry_points.txt")
        if text and f"[{GROUP}]" in text:
            for source in _sources(distribution):
                found.setdefault((source.name, source.distribution), source)
    return sorted(found.values(), key=lambda source: (source.name, source.distribution))


def _sources(distribution: Distribution) -> Iterable[Source]:
    for point in distribution.entry_points:
        if point.group == GROUP:
            yield Source(point.name, distribution.name, distribution.version, point)


def new_manager() -> pluggy.PluginManager:
    """A plugin manager that knows our hooks and no plugin."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


def _cards(manager: pluggy.PluginManager) -> tuple[Card, ...]:
    found: list[Card] = []
    for kind in KINDS:
        hook = f"harness_{kind}s"
        for card in (card for cards in getattr(manager.hook, hook)() for card in cards):
            if not isinstance(card, Card):
                raise TypeError(f"{hook} returned {card!r}; expected cards")
            if card.kind != kind:
                raise ValueError(f"{hook} returned the card {card.name!r} of a {card.kind}; name it in the other hook")
            found.append(card)
    return tuple(found)


def _check(source: Source, module: ModuleType) -> tuple[Card, ...]:
    """Register the plugin alone, so that whatever is wrong is this plugin's, and return its cards."""
    manager = new_manager()
    manager.register(module, name=source.name)
    manager.check_pending()
    cards = _cards(manager)
    for card in cards:
        if card.api != API_VERSION:
            raise ValueError(f"it is written for plugin API {card.api}, this harness speaks {API_VERSION}; upgrade it")
        if card.kind != "task" and card.name != source.name and not card.name.startswith(f"{source.name}-"):
            raise ValueError(f"card {card.name!r} must be named {source.name!r} or {source.name}-…")
    return cards


def load(source: Source) -> Plugin:
    """Import one plugin and check it against the hook specification.

    Raises:
        PluginBroken: naming distribution, version and reason.
    """
    try:
        module = cast(ModuleType, source.entry_point.load())
        return Plugin(source, module, _check(source, module))
    except (Exception, SystemExit) as error:  # a plugin is foreign code: whatever it raises is its fault, not ours
        reason = " ".join(str(error).split())
        raise PluginBroken(f"plugin {source} is broken: {type(error).__name__}: {reason}") from error


class Registry:
    """The installed plugins, loaded as far as asked for."""

    def __init__(self, sources: Iterable[Source]) -> None:
        """Start from entry points; nothing is imported yet."""
        self.sources = tuple(sources)
        self._load: Callable[[Source], Plugin | Broken] = cache(_load_or_report)

    def _clashes(self, source: Source) -> list[Source]:
        return [other for other in self.sources if other.name == source.name]

    def attempt(self, source: Source) -> Plugin | Broken:
        """Load one plugin, once."""
        clashes = self._clashes(source)
        if len(clashes) > 1:
            both = " and ".join(map(str, clashes))
            return Broken(source, PluginConflict(f"{both} share one name; uninstall one"))
        return self._load(source)

    @cached_property
    def all(self) -> tuple[Plugin | Broken, ...]:
        """Every plugin, good or broken, with clashes between cards turned into broken ones."""
        return tuple(_without_card_clashes([self.attempt(source) for source in self.sources]))

    @property
    def plugins(self) -> list[Plugin]:
        """Those that work."""
        return [plugin for plugin in self.all if isinstance(plugin, Plugin)]

    @property
    def broken(self) -> list[Broken]:
        """Those that don't."""
        return [plugin for plugin in self.all if isinstance(plugin, Broken)]

    @cached_property
    def manager(self) -> pluggy.PluginManager:
        """A manager with every plugin that works, to call hooks on."""
        manager = new_manager()
        for plugin in self.plugins:
            manager.register(plugin.module, name=plugin.source.name)
        return manager

    def cards(self, kind: Kind | None = None) -> list[tuple[Card, Source]]:
        """All cards (of one kind), with where they come from."""
        pairs = [(card, plugin.source) for plugin in self.plugins for card in plugin.cards]
        return [(card, source) for card, source in pairs if kind in (None, card.kind)]

    def plugin(self, name: str) -> Plugin | None:
        """The plugin whose entry point has this name; no other is imported.

        Raises:
            PluginBroken: if it can't be loaded.
            PluginConflict: if two distributions provide it.
        """
        for source in self.sources:
            if source.name == name:
                return _working(self.attempt(source))
        return None

    def find(self, name: str, *kinds: Kind) -> tuple[Card, Source]:
        """The card of this name (of one of these kinds), importing only the plugins it can come from.

        Raises:
            PluginNotFound: with the nearest names.
            PluginBroken: if the plugin of this name can't be loaded.
            PluginConflict: if two distributions provide it.
        """
        likely = [source for source in self.sources if name == source.name or name.startswith(f"{source.name}-")]
        loaded = _without_card_clashes([self.attempt(source) for source in likely])
        for plugin in loaded:
            if isinstance(plugin, Broken) and plugin.source.name == name:
                raise plugin.error
        found = _pick(loaded, name, kinds) or _pick(self.all, name, kinds)
        if not found:
            for plugin in loaded:  # `rankgpt-distill` may be a card of the broken `rankgpt`
                _working(plugin)
            known = sorted({card.name for kind in kinds or KINDS for card, _ in self.cards(kind)})
            raise PluginNotFound(_not_found(name, kinds, known))
        return found


def _load_or_report(source: Source) -> Plugin | Broken:
    try:
        return load(source)
    except PluginBroken as error:
        return Broken(source, error)


def _working(plugin: Plugin | Broken) -> Plugin:
    if isinstance(plugin, Broken):
        raise plugin.error
    return plugin


def _without_card_clashes(loaded: list[Plugin | Broken]) -> list[Plugin | Broken]:
    owners: dict[str, list[Plugin]] = {}
    for plugin in loaded:
        if isinstance(plugin, Plugin):
            for card in plugin.cards:
                owners.setdefault(card.name, []).append(plugin)
    clashes = {name: plugins for name, plugins in owners.items() if len(plugins) > 1}
    return [_clash(plugin, clashes) if isinstance(plugin, Plugin) else plugin for plugin in loaded]


def _clash(plugin: Plugin, clashes: dict[str, list[Plugin]]) -> Plugin | Broken:
    for name, plugins in clashes.items():
        if plugin in plugins:
            if len(set(map(id, plugins))) == 1:
                message = f"plugin {plugin.source} has two cards named {name!r}; rename one"
            else:
                both = " and ".join(str(other.source) for other in plugins)
                message = f"{both} both provide {name!r}; uninstall one"
            return Broken(plugin.source, PluginConflict(message))
    return plugin


def _pick(loaded: Iterable[Plugin | Broken], name: str, kinds: tuple[Kind, ...]) -> tuple[Card, Source] | None:
    for plugin in loaded:
        if isinstance(plugin, Plugin):
            for card in plugin.cards:
                if card.name == name and (not kinds or card.kind in kinds):
                    return card, plugin.source
    return None


def _not_found(name: str, kinds: tuple[Kind, ...], known: list[str]) -> str:
    what = " or ".join(kinds) or "plugin"
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {', '.join(near)}?" if near else "see `harness plugins list`"
    return f"no {what} named {name!r} is installed; {hint}"


@cache
def registry() -> Registry:
    """The registry of this process."""
    return Registry(scan())
