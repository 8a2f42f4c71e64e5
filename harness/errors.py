"""Every error a user can cause. The command line prints one line for each and exits with status 2.

A message says what was expected, what came, and what to do.
"""

import errno


class HarnessError(Exception):
    """The root of them all; anything else that escapes is a bug of ours."""


class PluginNotFound(HarnessError):
    """No installed plugin has the name that was asked for."""


class PluginConflict(HarnessError):
    """Two distributions provide one name."""


class PluginBroken(HarnessError):
    """A plugin could not be loaded, or breaks the hook specification."""


class ContractError(HarnessError):
    """A plugin returned something its contract forbids (NaN, unknown documents, a wrong count …)."""


class ConfigError(HarnessError):
    """An option has an unknown name, a wrong type or a value out of range."""


class MissingExtra(HarnessError):
    """An optional dependency is needed and not installed; the message names what to install."""


class DataError(HarnessError):
    """A corpus, query, qrels or run file is malformed; the message names file and line."""


class TaskNotFound(HarnessError):
    """No task has the name that was asked for, or its data is not here."""


class ScoreError(HarnessError):
    """A run cannot be scored: NaN, duplicates, unknown ids, a missing query."""


class SignalError(HarnessError):
    """Teacher signals are missing, damaged, or of another kind than needed."""


class CheckpointError(HarnessError):
    """A model checkpoint cannot be found or must not be loaded."""


class DeviceError(HarnessError):
    """A device is not registered, not present, or held by someone else."""


class StoreError(HarnessError):
    """The store cannot be opened or does not hold what was asked for."""


class StoreUnreachable(StoreError):
    """The database doesn't answer, or is locked by others for too long: the same may work later."""


class StoreVersion(StoreError):
    """The store has another schema than this version of the harness."""


LONGEST = 2000
"""Characters of a message; what came may be a line of megabytes."""


def shortened(message: str) -> str:
    """The message, of a long one its beginning and its end, which says what to do."""
    half = LONGEST // 2
    return message if len(message) <= LONGEST else f"{message[:half]} … {message[-half:]}"


def disk_full(error: BaseException) -> bool:
    """Whether it says that a disk has no room left: by its number or, of libraries that give none, by its words."""
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return True
    words = str(error)
    return "No space left on device" in words or (isinstance(error, OSError) and " requested and " in words)  # numpy
