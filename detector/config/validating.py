"""From a document to a frozen pydantic object; every complaint gets its line and, where one is near, a suggestion."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from detector.config.finding import did_you_mean
from detector.config.marked_yaml import Document, KeyPath

Model = TypeVar("Model", bound=BaseModel)


def validate(document: Document, model: type[Model], environment: Mapping[str, str]) -> Model | None:
    """Make `model` from the document; None after adding to the document's findings what is wrong with it."""
    context = {"folder": document.file.parent, "environment": environment}
    try:
        return model.model_validate(document.data, context=context)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
    broken = {detail["loc"][:depth] for detail in details for depth in range(len(detail["loc"]))}
    for detail in details:
        if detail["type"] == "too_short" and detail["loc"] in broken:
            continue  # too short only because its items are wrong, which is said anyway
        path = _written_path(detail["loc"], document.data)
        message, suggestion = _words(detail, path, model)
        document.find(path, message, suggestion)
    return None


def _written_path(loc: KeyPath, data: Any) -> KeyPath:
    """pydantic's location without what is not written in the file (names of union members, `[key]` of a mapping)."""
    path: list[str | int] = []
    for index, part in enumerate(loc):
        last = index == len(loc) - 1
        if part == "[key]" and last:
            continue
        if isinstance(data, Mapping):
            if part in data or last:
                path.append(part)
                data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int):
            path.append(part)
            data = data[part] if part < len(data) else None
    return tuple(path)


def _words(detail: ErrorDetails, path: KeyPath, model: type[BaseModel]) -> tuple[str, str | None]:
    key = str(path[-1]) if path else ""
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            known = keys_at(model, path[:-1])
            return "unknown key", did_you_mean(key, known) or f"known: {', '.join(known)}"
        case "missing":
            return "is missing", None
        case "literal_error" | "enum":
            expected = str(context.get("expected", ""))
            options = [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",")]
            written = detail.get("input")
            hint = did_you_mean(written, options) if isinstance(written, str) else None
            return f"must be one of {', '.join(options)}", hint
        case "too_short":
            return f"needs at least {context.get('min_length', 1)}", None
        case "string_pattern_mismatch":
            return f"must match {context.get('pattern')}", None
        case "value_error":
            return str(context.get("error", detail["msg"])), None
        case "model_type" | "dict_type":
            return "must be a mapping of keys to values", None
        case "list_type" | "tuple_type":
            return "must be a list", "begin each item with `- `"
        case "string_type":
            return "must be text", "put it in quotes" if _is_number(detail.get("input")) else None
        case _:
            return detail["msg"].replace("Input should be", "must be"), None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def keys_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    """The keys that may be written at `path` of a file read into `model`; empty where any or none may."""
    kind: Any = model
    for part in path:
        kind = _inside(kind, part)
    inner = _model_in(kind)
    return sorted(inner.model_fields) if inner is not None else []


def _inside(kind: Any, part: str | int) -> Any:
    inner = _model_in(kind)
    if inner is not None and isinstance(part, str):
        known = inner.model_fields.get(part)
        return known.annotation if known is not None else None
    for option in _options(kind):
        arguments = [a for a in get_args(option) if a is not Ellipsis]
        if isinstance(part, int) and get_origin(option) in {tuple, list} and arguments:
            return arguments[0]
        if isinstance(part, str) and get_origin(option) is dict and len(arguments) == 2:
            return arguments[1]
    return None


def _model_in(kind: Any) -> type[BaseModel] | None:
    for option in _options(kind):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None


def _options(kind: Any) -> list[Any]:
    origin = get_origin(kind)
    if origin is typing.Annotated:
        return _options(get_args(kind)[0])
    if origin in {Union, types.UnionType}:
        return [inner for member in get_args(kind) for inner in _options(member)]
    return [kind]
