"""Students: sentence-transformers models that learn, of four forms, with one way to be embedded, scored and saved."""

from harness.nn.students.dense import DenseStudent
from harness.nn.students.late import LateStudent, Tokens
from harness.nn.students.lookup import LookupStudent
from harness.nn.students.make import Form, make
from harness.nn.students.pair import PairStudent
from harness.nn.students.sparse import SparseStudent
from harness.nn.students.student import Student

__all__ = [
    "DenseStudent",
    "Form",
    "LateStudent",
    "LookupStudent",
    "PairStudent",
    "SparseStudent",
    "Student",
    "Tokens",
    "make",
]
