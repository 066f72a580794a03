"""What docs/rules.md shows can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from detector.config.marked_yaml import overlay, read_yaml
from detector.config.permits import PermitsFile
from detector.config.rules import RulesFile
from detector.config.settings import Settings
from detector.config.validating import validate
from detector.core.zones import IGNORE, WATCH

MODELS: dict[str, type[BaseModel]] = {"permits:": PermitsFile, "extends:": RulesFile, "# in the settings": Settings}


@pytest.mark.parametrize("start", list(MODELS))
def test_the_examples_of_the_page_can_be_read(start: str, root: Path) -> None:
    text = (root / "docs/rules.md").read_text("utf-8")
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if block.startswith(start)]
    assert blocks
    for block in blocks:
        document = read_yaml(root / "docs/rules.md", block)
        if start == "extends:":
            document = overlay(read_yaml(root / "configs/rules.yaml"), document)
        validate(document, MODELS[start], {})
        assert [str(finding) for finding in document.findings] == []


def test_the_page_names_every_kind_that_comes_with_the_product(root: Path) -> None:
    text = (root / "docs/rules.md").read_text("utf-8")
    named = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    rules = read_yaml(root / "configs/rules.yaml").data["rules"].values()
    needs = [c.get("needs") for c in read_yaml(root / "configs/categories.yaml").data["categories"].values()]
    kinds = {rule["inside"] for rule in rules} | {
        need.partition(":")[2] for need in needs if need and need.startswith(("zone:", "outside:"))
    }
    assert named == kinds
    assert {f"`{IGNORE}`", f"`{WATCH}`"} <= set(re.findall(r"`\w+`", text))
