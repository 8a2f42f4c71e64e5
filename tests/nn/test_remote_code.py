"""Code that lies in a checkpoint runs only if its user names it, and then the evaluation says so."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.build import Builder
from harness.config import use
from harness.errors import CheckpointError
from harness.plugins import registry
from harness.runner import record
from harness.runner.plan import Method, Request, Target, plan
from harness.store.records import DeviceRecord
from harness.testing.tiny import tiny_task

pytestmark = pytest.mark.skipif(
    find_spec("sentence_transformers") is None, reason="sentence_transformers is not installed"
)
CODE = """
from pathlib import Path
from sentence_transformers.sentence_transformer.modules import Pooling
Path({mark!r}).touch()
class Mine(Pooling): pass
"""
CPU = DeviceRecord(
    name="cpu",
    kind="cpu",
    torch_name="cpu",
    identity="x",
    model="x",
    memory_bytes=1,
    driver="",
    registered=datetime.now(UTC),
)


@pytest.fixture
def own_code(tiny_dense: Path, copied: Callable[[Path], Path], tmp_path: Path) -> str:
    """A checkpoint with a module of its own, which leaves a file `ran` when it is imported."""
    folder = copied(tiny_dense)
    modules = json.loads((folder / "modules.json").read_text())
    modules[1]["type"] = "own.Mine"
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "own.py").write_text(CODE.format(mark=str(tmp_path / "ran")))
    return str(folder)


@pytest.mark.parametrize("trusted", [False, True])
def test_remote_code(own_code: str, tmp_path: Path, trusted: bool) -> None:
    known, task = registry(), tiny_task(tmp_path / "data")
    method = Method(use=use(known, ("retriever",), "dense", {"model": own_code}))
    allowed = frozenset({own_code, "another/model"} if trusted else {"another/model"})
    target = Target(name="tiny", task=task, split=task.facts.split)
    (work,) = plan(known, Request(methods=[method], targets=[target], trust_remote_code=allowed))
    builder = Builder(registry=known, folder=tmp_path / "built", trust_remote_code=work.trust_remote_code)
    if trusted:
        builder.build(work.method.use)
    else:
        with pytest.raises(CheckpointError, match=r"own\.Mine"):
            builder.build(work.method.use)
    assert (tmp_path / "ran").exists() == trusted
    setting = record.Setting(work=work, task=task, device=CPU, started=datetime.now(UTC))
    told = record.failed(known, setting, "stopped")
    assert told.environment.get("trust_remote_code") == ([own_code] if trusted else None)
    assert own_code in told.checkpoints, "its digest covers the code"
    assert "--trust-remote-code" not in told.command, "whoever runs it again says so himself"
