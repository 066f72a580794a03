"""What docs/rules.md shows can be read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from pydantic import BaseModel

from detector.config import load_categories
from detector.config.categories import CategoriesFile
from detector.config.marked_yaml import overlay, read_yaml
from detector.config.permits import PermitsFile
from detector.config.rules import RulesFile
from detector.config.settings import Settings
from detector.config.validating import validate
from detector.core.category import Category
from detector.core.detection import BoundingBox, Detection
from detector.core.judging import judge
from detector.core.look import Look, LookStatus
from detector.core.problem import Place, Problem, ProblemStatus
from detector.core.rules import Outcome, RuleBook, spot_of
from detector.core.zones import IGNORE, WATCH, Zone, ring

START = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)

MODELS: dict[str, type[BaseModel]] = {
    "permits:": PermitsFile,
    "extends:": RulesFile,
    "# in the settings": Settings,
    "# categories": CategoriesFile,
}
OVER = {"extends:": "configs/rules.yaml", "# categories": "configs/categories.yaml"}


@pytest.mark.parametrize("start", list(MODELS))
def test_the_examples_of_the_page_can_be_read(start: str, root: Path) -> None:
    text = (root / "docs/rules.md").read_text("utf-8")
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if block.startswith(start)]
    assert blocks
    for block in blocks:
        document = read_yaml(root / "docs/rules.md", block)
        if start in OVER:
            document = overlay(read_yaml(root / OVER[start]), document)
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


def test_a_city_that_asks_for_several_bicycles_gets_one_case_of_them(root: Path, tmp_path: Path) -> None:
    """The overlay of the page, with a bay of the city, from look to problem."""
    text = (root / "docs/rules.md").read_text("utf-8")
    (block,) = (b for b in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if b.startswith("# categories"))
    (tmp_path / "city.yaml").write_text(block, encoding="utf-8")
    bay = Zone("bay", "legal_bay", (ring([(0.0, 0.6), (0.3, 0.6), (0.3, 1.0), (0.0, 1.0)]),), "cam")
    book = RuleBook([bay])
    row = tuple(Detection("bicycle", BoundingBox(left, 600, left + 90, 680), 0.8) for left in (100, 600, 700, 800, 900))

    def problems(file: Path, seen: tuple[Detection, ...]) -> list[Problem]:
        categories, known = load_categories(file), dict[str, Problem]()
        ids = (f"p{n}" for n in count())
        for minute in range(0, 16, 3):
            look = Look("cam", START + timedelta(minutes=minute), LookStatus.OK, seen, "m@1", (1280, 720))

            def decide(category: Category, place: Place, at: datetime = look.at) -> Outcome:
                return book.decide(category, spot_of("cam", place), at)

            for change in judge(look, list(known.values()), categories, lambda: next(ids), decide):
                known[change.problem.id] = change.problem
        return [problem for problem in known.values() if problem.status is ProblemStatus.OPEN]

    (together,) = problems(tmp_path / "city.yaml", row)
    assert (together.category, together.count) == ("nonmotor_parking", 4), "the first one stands in the bay"
    assert together.rule == "category:nonmotor_parking"
    assert problems(tmp_path / "city.yaml", row[:3]) == [], "two outside of the bay are too few"
    assert len(problems(root / "configs/categories.yaml", row)) == 4, "without the overlay each is one"
