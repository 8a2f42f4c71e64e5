"""A model's name → a language model that can be asked."""

from typing import Protocol

from harness.contracts import Context
from harness.text.address import is_endpoint
from harness.text.model import LanguageModel
from harness.text.settings import ModelConfig


class Checkpoints(Protocol):
    """What `harness.nn.checkpoint` does; it lies above this room, so whoever opens a model hands it in."""

    def locate(self, name: str, code: bool = ...) -> str:
        """The folder of a checkpoint."""
        ...

    def identity(self, name: str) -> str:
        """What its content is known by."""
        ...


def open_model(config: ModelConfig, context: Context, checkpoints: Checkpoints) -> LanguageModel:
    """The model that `config.model` names: a local one is loaded, an endpoint is not asked yet.

    Args:
        config: name and settings.
        context: device, and the checkpoints whose own code may run.
        checkpoints: `harness.nn.checkpoint`.

    Raises:
        CheckpointError: a local model can't be found or loaded, or has no chat template though one is asked for.
        MissingExtra: what it needs is not installed.
    """
    if is_endpoint(config.model):
        from harness.text.endpoint import Endpoint

        return Endpoint(config)
    from harness.text.causal import load_causal_lm
    from harness.text.local import LocalModel

    trusted = config.model in context.trust_remote_code
    folder = checkpoints.locate(config.model, code=trusted)
    lm = load_causal_lm(folder, device=context.device, trust_remote_code=trusted, precision=config.precision)
    return LocalModel(lm, weights=f"{checkpoints.identity(config.model)} {config.precision}", chat=config.chat)
