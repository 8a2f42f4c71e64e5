"""Short names for configurations: the plugin, and the options in which its configurations on the board differ."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from harness.store.places import last_part
from harness_leaderboard.numbers import plain
from harness_leaderboard.public import without_places

Key = tuple[str, str]
"""A method on the board: plugin name and digest of its configuration."""

LONGEST = 40
"""Characters of an option's value in a label."""
ALWAYS = ("mode",)
"""What is in a label wherever it is in the configuration: numbers of another kind than fp32 are never passed over."""


def options(config: Mapping[str, Any], checkpoints: Collection[str] = ()) -> dict[str, str]:
    """A configuration as options, nested plugins as `base=bm25`, `base.k1=0.9`, `parts.0.k1=0.9`.

    Args:
        config: as an evaluation keeps it.
        checkpoints: values that name a checkpoint; only the last part of their path is kept.
    """
    found: dict[str, str] = {}
    for name in sorted(config):
        value = config[name]
        parts = value if isinstance(value, list) else [value]
        if not parts or not all(_is_plugin(part) for part in parts):
            found[name] = _value(value, checkpoints)
            continue
        found[name] = ",".join(str(part["plugin"]) for part in parts)
        for position, part in enumerate(parts):
            prefix = f"{name}.{position}" if isinstance(value, list) else name
            inner = options(part["config"], checkpoints)
            found |= {f"{prefix}.{key}": text for key, text in inner.items()}
    return found


def _is_plugin(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"plugin", "config"}


def _value(value: Any, checkpoints: Collection[str]) -> str:
    text = plain(value)
    return last_part(text) if text in checkpoints else without_places(text)


def labels(configurations: Mapping[Key, Mapping[str, str]]) -> dict[Key, tuple[str, str]]:
    """The plugin's name and what sets it apart (empty if nothing has to), for each method on the board.

    Two methods that would still be called the same get the start of their digest.
    """
    plugins: dict[str, list[Key]] = defaultdict(list)
    for key in sorted(configurations):
        plugins[key[0]].append(key)
    found: dict[Key, tuple[str, str]] = {}
    for name, keys in plugins.items():
        apart = _differing([configurations[key] for key in keys])
        texts = {key: _text(configurations[key], apart) for key in keys}
        for key, text in texts.items():
            same = list(texts.values()).count(text) > 1
            found[key] = (name, f"{text} #{key[1][:6]}".strip() if same else text)
    return found


def _differing(configurations: list[Mapping[str, str]]) -> list[str]:
    """Options with more than one value among the configurations that have them, or that only some have at the top."""
    values: dict[str, list[str]] = defaultdict(list)
    for configuration in configurations:
        for name, text in configuration.items():
            values[name].append(text)
    total = len(configurations)
    return [
        name
        for name, texts in sorted(values.items())
        if name in ALWAYS or len(set(texts)) > 1 or ("." not in name and len(texts) < total)
    ]


def _text(configuration: Mapping[str, str], apart: list[str]) -> str:
    return " ".join(f"{name}={_short(configuration[name])}" for name in apart if name in configuration)


def _short(text: str) -> str:
    if len(text) > LONGEST:
        return text[: LONGEST - 1] + "…"
    return text or '""'
