"""JSON Schemas of the configuration files, so that an editor completes keys and explains them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from detector.config.categories import CategoriesFile
from detector.config.desk import DeskSettings
from detector.config.expectations import ExpectationsFile
from detector.config.mapping import MappingFile
from detector.config.permits import PermitsFile
from detector.config.routing import RoutingFile
from detector.config.rules import RulesFile
from detector.config.settings import Settings
from detector.config.values import written_duration
from detector.config.zones import ZonesFile

SCHEMAS: dict[str, type[BaseModel]] = {
    "configs/detector.schema.json": Settings,
    "configs/categories.schema.json": CategoriesFile,
    "configs/zones.schema.json": ZonesFile,
    "configs/permits.schema.json": PermitsFile,
    "configs/mapping.schema.json": MappingFile,
    "configs/rules.schema.json": RulesFile,
    "configs/expectations.schema.json": ExpectationsFile,
    "configs/desk.schema.json": DeskSettings,
    "configs/routing.schema.json": RoutingFile,
}
"""Committed file to what it describes."""


class _Generator(GenerateJsonSchema):
    def encode_default(self, dft: Any) -> Any:
        """Durations as people write them: an editor inserts defaults as they stand."""
        if isinstance(dft, timedelta):
            return written_duration(dft)
        if isinstance(dft, tuple):
            return [self.encode_default(item) for item in dft]
        return super().encode_default(dft)


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema (2020-12) of the YAML that is read into `model`, without the titles that only repeat the keys."""
    schema = _without_titles(model.model_json_schema(schema_generator=_Generator))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _without_titles(part: Any, names: bool = False) -> Any:
    """`names`: the keys of `part` are names of properties or definitions, one of which may well be `title`."""
    if isinstance(part, list):
        return [_without_titles(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _without_titles(value, names=not names and key in {"properties", "$defs"})
        for key, value in part.items()
        if names or key != "title"
    }


def schema_text(model: type[BaseModel]) -> str:
    """The schema as it is committed: sorted by nothing but the order of the code, indented, with a final newline."""
    return json.dumps(schema_of(model), indent=2, ensure_ascii=False) + "\n"
