"""The name of a form → a student of it."""

from typing import Any, Literal

from harness.contracts import Context
from harness.nn.students.dense import DenseStudent
from harness.nn.students.late import LateStudent
from harness.nn.students.sparse import SparseStudent
from harness.nn.students.student import Student

Form = Literal["dense", "sparse", "late-interaction"]

FORMS: dict[Form, type[Student]] = {"dense": DenseStudent, "sparse": SparseStudent, "late-interaction": LateStudent}


def make(form: Form, checkpoint: str, context: Context, max_length: int, **options: Any) -> Student:
    """A student of this form.

    Args:
        form: what it makes of a text.
        checkpoint: hub id, folder or `pip:<distribution>`.
        context: device, seed and folder.
        max_length: tokens; longer texts are cut.
        options: of the library's class.

    Raises:
        CheckpointError: it can't be found, or, for a sparse student, has no masked language model.
    """
    return FORMS[form](checkpoint, context, max_length, **options)
