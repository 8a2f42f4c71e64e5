"""A change of weights, prompt, template, maximum length or precision makes another teacher, which is asked anew."""

import json
import shutil
from pathlib import Path

import pytest

from harness.build import Builder
from harness.config import use
from harness.plugins import registry
from harness.testing.models import tiny_causal_lm, tiny_cross_encoder

MAKERS = {"embedder": tiny_cross_encoder, "cross-encoder": tiny_cross_encoder, "query-likelihood": tiny_causal_lm}


def weight(folder: Path) -> None:
    """Change one number."""
    from safetensors.numpy import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    next(array for name, array in sorted(tensors.items()) if name.endswith("weight")).flat[0] += 0.01
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def template(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ messages }}")


def prompts(folder: Path) -> None:
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": {"query": "query: "}}))


def dtype(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "dtype": "bfloat16"}))


OPTIONS = {
    "embedder": {"max_length": "16", "query_prompt": "query: ", "document_prompt": "d: ", "precision": "bfloat16"},
    "cross-encoder": {"max_length": "16", "precision": "bfloat16"},
    "query-likelihood": {"max_length": "16", "prompt": "{document} {query}"},
}
CASES = [(plugin, {name: value}, None) for plugin, options in OPTIONS.items() for name, value in options.items()]
CASES += [(plugin, {}, change) for plugin in MAKERS for change in (weight, template, dtype)]
CASES += [("cross-encoder", {}, prompts)]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """The folder of each plugin's model."""
    folder = tmp_path_factory.mktemp("models")
    return {plugin: Path(make(folder / plugin)) for plugin, make in MAKERS.items()}


@pytest.fixture
def teacher(remembering, tmp_path):
    """A function: a plugin, its checkpoint and options → the teacher, remembering."""
    builder = Builder(registry=registry(), folder=tmp_path / "built")

    def make(plugin, folder, options):
        chosen = use(registry(), ("teacher",), plugin, {"model": str(folder), **options})
        return remembering(builder.build(chosen))

    return make


@pytest.mark.parametrize(("plugin", "options", "change"), CASES)
def test_whatever_an_answer_depends_on_makes_another_teacher(
    teacher, checkpoints, make_pairs, tmp_path, plugin, options, change
):
    teacher(plugin, checkpoints[plugin], {}).score(make_pairs(1, 3))
    copy = shutil.copytree(checkpoints[plugin], tmp_path / "copy")
    same = teacher(plugin, copy, {})
    same.score(make_pairs(1, 3))
    assert same.account.calls == 0, "the folder's name says nothing"
    if change:
        change(copy)
    other = teacher(plugin, copy, options)
    other.score(make_pairs(1, 3))
    assert (other.account.stored, other.account.calls) == (0, 4 if plugin == "embedder" else 3)
