"""The transformer of a model, run by OpenVINO in bfloat16 for as long as texts are being encoded.

OpenVINO is an extra. It would report what it converts to its makers; it is imported without the package that does so.
"""

import sys
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from harness.errors import ConfigError

READ = ("input_ids", "attention_mask", "token_type_ids")
"""What a converted transformer may read."""
TELEMETRY = "openvino_telemetry"

Weights = tuple[tuple[int, int], ...]


class _Part(NamedTuple):
    """A transformer inside a model."""

    model: nn.Module
    """Of transformers."""
    output: str
    """What is wanted of it."""
    reads: tuple[str, ...]
    """Names of its inputs."""


class _Converted(NamedTuple):
    weights: Weights
    """Where they lay and how often they had been changed when it was converted."""
    run: Callable[..., dict[str, Tensor]]


_converted: "WeakKeyDictionary[nn.Module, _Converted]" = WeakKeyDictionary()


@contextmanager
def served(model: Any) -> Generator[None]:
    """Inside, the model's transformers run in OpenVINO; converted once, and again after the weights have changed.

    Raises:
        ConfigError: there is one that can't be converted.
    """
    parts = list(_parts(model))
    runs = [_run(part) for part in parts]
    try:
        for part, run in zip(parts, runs, strict=True):
            part.model.forward = run
        yield
    finally:
        for part in parts:
            vars(part.model).pop("forward", None)


def _parts(model: Any) -> Iterator[_Part]:
    """The transformers in it; a model without one computes as ever."""
    if hasattr(model, "config") and not hasattr(model, "transformers_model"):
        yield _Part(model, "last_hidden_state", READ[:2])
        return
    for module in model.modules():
        if type(module).__name__ != "Transformer" or not hasattr(module, "modality_config"):
            continue
        asked = module.modality_config.get("text", {})
        output = asked.get("method_output_name")
        output = output[0] if isinstance(output, list | tuple) and len(output) == 1 else output
        names = getattr(module.tokenizer, "model_input_names", READ)
        if asked.get("method") != "forward" or not isinstance(output, str) or set(names) - set(READ):
            raise ConfigError(f"mode openvino-bf16: a {type(module.model).__name__} can't be converted; take bf16")
        yield _Part(module.model, output, tuple(name for name in READ if name in names))


def _run(part: _Part) -> Callable[..., dict[str, Tensor]]:
    weights = tuple((parameter.data_ptr(), parameter._version) for parameter in part.model.parameters())
    known = _converted.get(part.model)
    if known is None or known.weights != weights:
        known = _Converted(weights, _convert(part))
        _converted[part.model] = known
    return known.run


def _convert(part: _Part) -> Callable[..., dict[str, Tensor]]:
    library = _library()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of tracing, about branches that the example takes
            graph = library.convert_model(_Traced(part), example_input=_example(part.reads))
            compiled = library.Core().compile_model(graph, "CPU", _settings())
    except Exception as error:  # whatever a foreign model makes the library raise
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"mode openvino-bf16: a {type(part.model).__name__} can't be converted ({reason}); take bf16 or fp32"
        ) from error
    request = compiled.create_infer_request()

    def run(**features: Any) -> dict[str, Tensor]:
        given = [features[name].contiguous().numpy() for name in part.reads]
        found = request.infer(given, share_inputs=True, share_outputs=False)
        return {part.output: torch.from_numpy(found[0])}

    return run


class _Traced(nn.Module):
    """A transformer with one output."""

    def __init__(self, part: _Part) -> None:
        super().__init__()
        self._part, self.model = part, part.model

    def forward(self, *read: Tensor) -> Tensor:
        """That output."""
        return self.model(**dict(zip(self._part.reads, read, strict=True)))[self._part.output]


def _example(reads: tuple[str, ...]) -> tuple[Tensor, ...]:
    """Two texts, one of them padded."""
    mask = torch.ones(2, 8, dtype=torch.long)
    mask[1, 4:] = 0
    made = {"input_ids": torch.ones_like(mask), "attention_mask": mask, "token_type_ids": torch.zeros_like(mask)}
    return tuple(made[name] for name in reads)


def _settings() -> dict[str, Any]:
    """As many threads as torch has, which aren't tied to cores that other processes may have too."""
    return {
        "INFERENCE_PRECISION_HINT": "bf16",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": False,
    }


def _library() -> Any:
    held = {TELEMETRY: sys.modules[TELEMETRY]} if TELEMETRY in sys.modules else {}
    sys.modules[TELEMETRY] = None  # pyright: ignore[reportArgumentType]  # can't be imported, so a stub is
    try:
        import openvino  # pyright: ignore[reportMissingImports]
    finally:
        del sys.modules[TELEMETRY]
        sys.modules.update(held)
    return openvino
