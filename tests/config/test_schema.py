from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from detector.config.marked_yaml import read_yaml
from detector.config.schema import SCHEMAS, schema_of, schema_text


@pytest.mark.parametrize("file", list(SCHEMAS))
def test_the_committed_schema_is_that_of_the_code(file: str, root: Path) -> None:
    written = (root / file).read_text(encoding="utf-8")
    assert written == schema_text(SCHEMAS[file]), "run scripts/schemas"
    Draft202012Validator.check_schema(json.loads(written))


@pytest.mark.parametrize(
    ("example", "schema"),
    [
        ("configs/example.yaml", "configs/detector.schema.json"),
        ("configs/categories.yaml", "configs/categories.schema.json"),
        ("configs/rules.yaml", "configs/rules.schema.json"),
        ("configs/zones.example.yaml", "configs/zones.schema.json"),
        ("configs/permits.example.yaml", "configs/permits.schema.json"),
        ("configs/expectations.example.yaml", "configs/expectations.schema.json"),
        ("configs/desk.example.yaml", "configs/desk.schema.json"),
        ("configs/routing.example.yaml", "configs/routing.schema.json"),
    ],
)
def test_the_examples_follow_the_schema_they_name(example: str, schema: str, root: Path) -> None:
    text = (root / example).read_text(encoding="utf-8")
    assert text.startswith(f"# yaml-language-server: $schema={Path(schema).name}\n")
    Draft202012Validator(schema_of(SCHEMAS[schema])).validate(read_yaml(root / example).data)
