"""The contract of each kind of plugin, published for third parties; see docs/plugins.md."""

from harness.testing.contract import DistillerContract, RetrieverContract, TaskContract, TeacherContract

__all__ = ["DistillerContract", "RetrieverContract", "TaskContract", "TeacherContract"]
