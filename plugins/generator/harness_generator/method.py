"""A language model that writes."""

from collections.abc import Sequence

from harness.config import digest
from harness.contracts import Context
from harness.nn import checkpoint
from harness.text.model import LanguageModel, Message, Prompt
from harness.text.opening import open_model
from harness_generator import Config


class TextGenerator:
    """A `harness.contracts.Generator`."""

    def __init__(self, config: Config, model: LanguageModel, seed: int = 0) -> None:
        """Ask this model; tokens are drawn from `seed`, if at all."""
        self._config, self._model, self._seed = config, model, seed
        self._stop = tuple(text.replace(r"\n", "\n") for text in config.stop)

    @property
    def identity(self) -> str:
        """Digest of model, template, and how it writes; of the seed too where tokens are drawn."""
        config = self._config
        how = [config.template, config.system, config.max_new_tokens, self._stop, config.temperature]
        return digest(["generator", self._model.identity, how, self._seed if config.temperature > 0 else None])

    def generate(self, prompts: Sequence[str]) -> list[str]:
        """What the model writes after each prompt.

        Raises:
            DataError: if a prompt leaves no room for an answer.
            SignalError: if an endpoint gives none.
        """
        return self._model.write(
            [self._asked(prompt) for prompt in prompts],
            max_new_tokens=self._config.max_new_tokens,
            stop=self._stop,
            temperature=self._config.temperature,
            seed=self._seed,
        )

    def _asked(self, prompt: str) -> Prompt:
        text = self._config.template.replace("{prompt}", prompt)
        return (Message("system", self._config.system), Message("user", text)) if self._config.system else text


def build(config: Config, context: Context) -> TextGenerator:
    """The generator with the model that its configuration names."""
    return TextGenerator(config, open_model(config, context, checkpoint), context.seed)
