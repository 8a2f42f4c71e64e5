"""The fields of the data files, each with its meaning and type: written, documented and checked from one list."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
"""A JSON Schema."""

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
TEXTS: Schema = {"type": "array", "items": TEXT}
NUMBERS: Schema = {"type": "object", "additionalProperties": NUMBER}


def one_of(*values: str) -> Schema:
    """One of these texts."""
    return {"enum": list(values)}


def maybe(schema: Schema) -> Schema:
    """That, or null for what is missing."""
    return {"anyOf": [schema, {"type": "null"}]}


def listed(schema: Schema) -> Schema:
    """Any number of those."""
    return {"type": "array", "items": schema}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One documented field of a data file."""

    name: str
    """Key in JSON, and column in CSV."""
    meaning: str
    """What it holds."""
    value: Callable[[Any, Any], Any]
    """Takes it from what is published of a board, and what the record is of."""
    schema: Schema
    """What it may be."""
    flat: bool = False
    """Whether it is a column of the CSV too."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A data file that is a list of records with the same fields."""

    name: str
    """`data/<name>.json`, and the key of the list in it."""
    meaning: str
    """What a record is."""
    fields: tuple[Field, ...]
    """What it has."""

    @property
    def schema(self) -> Schema:
        """What a record may be."""
        return {
            "type": "object",
            "description": self.meaning,
            "properties": {field.name: {"description": field.meaning, **field.schema} for field in self.fields},
            "required": [field.name for field in self.fields],
            "additionalProperties": False,
        }

    def record(self, published: Any, of: Any) -> dict[str, Any]:
        """The record of this."""
        return {field.name: field.value(published, of) for field in self.fields}
