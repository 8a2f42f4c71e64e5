"""Generator: a language model that writes, for methods that need text: queries, answers, pseudo-documents, reasons.

The prompt is the method's own; a template here can add to it what a particular model wants to be told. The model runs
on this machine or behind an OpenAI-compatible endpoint.
"""

from dataclasses import dataclass

from harness import Card, hookimpl, knob
from harness.text.settings import ModelConfig


@dataclass(frozen=True, kw_only=True)
class Config(ModelConfig):
    """The language model, and how it writes."""

    template: str = knob("{prompt}", "what is asked; {prompt} stands for the method's prompt")
    system: str = knob("", "what the model is told about its task beforehand")
    max_new_tokens: int = knob(128, "where it stops at the latest", unit="tokens", low=1)
    stop: tuple[str, ...] = knob((), r"texts before which it stops; \n stands for the end of a line")
    temperature: float = knob(0.0, "0 takes the likeliest token each time, more draws them", low=0)

    def __post_init__(self) -> None:
        """Check what no single knob can say."""
        super().__post_init__()
        if self.template.count("{prompt}") != 1:
            raise ValueError(f"option 'template' expects {{prompt}} once, got {self.template!r}")
        if not all(self.stop):
            raise ValueError(f"option 'stop' expects texts that are not empty, got {self.stop!r}")


CARD = Card(
    name="generator",
    kind="teacher",
    summary="Writes a continuation or an answer to any prompt with a language model.",
    method="harness_generator.method:build",
    config=Config,
    gives=("generate",),
)


@hookimpl
def harness_teachers() -> list[Card]:
    """The generator."""
    return [CARD]
