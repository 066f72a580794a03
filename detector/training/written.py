"""YAML files that people write for training, and the data.yaml of sets: read with the line of whatever is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from detector.config.marked_yaml import Document, read_yaml
from detector.config.validating import validate
from detector.errors import DatasetError, DetectorError

Model = TypeVar("Model", bound=BaseModel)


def read_mapping(path: Path) -> dict[str, Any]:
    """The keys and values of a file, unjudged; keys are text. Raises DatasetError naming file and line."""
    document = read_yaml(path)
    if document.findings:
        raise _complaint(document, DatasetError)
    return document.data


def read_written(path: Path, model: type[Model], error: type[DetectorError] = DatasetError) -> Model:
    """The file as a `model`. Raises `error` with a line for each thing wrong: file, line, field, what to do."""
    document = read_yaml(path)
    found = None if document.findings else validate(document, model, {})
    if found is None:
        raise _complaint(document, error)
    return found


def fault_of(error: ValidationError) -> str:
    """Field and message of the first thing wrong, where what was judged is one line of a file."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'line'}: {first['msg']}"


def _complaint(document: Document, error: type[DetectorError]) -> DetectorError:
    return error("\n".join(str(finding) for finding in document.in_order()))
