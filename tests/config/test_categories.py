from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from detector.config import load_categories, shipped
from detector.core.category import Clock, Light, OnLeaving, by_label
from detector.errors import ConfigError

FOURTEEN = {
    "exposed_garbage",
    "bin_overflow",
    "rubble_pile",
    "piled_materials",
    "street_stall",
    "shop_overflow",
    "illegal_ad",
    "nonmotor_parking",
    "motor_parking",
    "road_damage",
    "manhole_abnormal",
    "road_ponding",
    "uncovered_muck_truck",
    "open_burning",
}


def test_the_fourteen_categories_come_with_the_product() -> None:
    categories = load_categories(shipped("configs/categories.yaml"))
    assert set(categories) == FOURTEEN
    for category in categories.values():
        assert set(category.names) == {"zh", "en"}
    burning = categories["open_burning"]
    assert burning.confirmation.dwell == timedelta(minutes=1)
    assert burning.deadline is not None
    assert burning.deadline.clock is Clock.EMERGENCY
    assert categories["exposed_garbage"].codes["GB/T 47678.5-2026"] == "06010"
    assert {key for key, value in categories.items() if not value.told_by_labels} == {
        "nonmotor_parking",
        "motor_parking",
    }
    assert {key for key, one in categories.items() if one.light is Light.DAY} == {"illegal_ad", "road_damage"}
    kept = {key for key, one in categories.items() if one.clearing.on_leaving is OnLeaving.KEEP_CASE}
    assert kept == {"uncovered_muck_truck"}
    assert categories["illegal_ad"].needs_review("poster")
    assert not categories["illegal_ad"].needs_review("graffiti")
    assert "truck" not in by_label(categories)
    assert by_label(categories)["uncovered_load"].id == "uncovered_muck_truck"
    assert categories["uncovered_muck_truck"].needs_review("uncovered_load")


def test_a_city_lays_its_own_file_over_the_default(tmp_path: Path) -> None:
    city = tmp_path / "city.yaml"
    city.write_text(
        "extends: default\n"
        "standards: {city-2026: {title: City list}}\n"
        "categories:\n"
        "  exposed_garbage:\n    codes: {city-2026: A1}\n    deadline: {limit: 2 h}\n"
        "  shop_overflow: {enabled: false}\n"
        "  street_hanging:\n    names: {zh: 沿街晾挂, en: Laundry over the street}\n    labels: [laundry]\n",
        encoding="utf-8",
    )
    categories = load_categories(city)
    assert set(categories) == FOURTEEN - {"shop_overflow"} | {"street_hanging"}
    garbage = categories["exposed_garbage"]
    assert garbage.codes == {"GB/T 47678.5-2026": "06010", "GB/T 30428.2-2013": "0110", "city-2026": "A1"}
    assert garbage.deadline is not None
    assert garbage.deadline.limit == timedelta(hours=2)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("labels: []", "city.yaml:4: categories.mess.labels: needs at least 1"),
        ("labels: [a]\n    confirm: {min_score: 0.2, keep_score: 0.3}", "confirm.keep_score: is above min_score"),
        ("labels: [a]\n    confirm: {looks: 4, of: 3}", "confirm.looks: asks for 4 of only 3 looks"),
        ("labels: [a]\n    min_scores: {b: 0.3}", "min_scores.b: is no label of this category"),
        ("labels: [a]\n    review: [b]", 'review: "b" is no label of this category'),
        ("labels: [a]\n    codes: {GB: '1'}", "codes.GB: is none of the standards; describe it"),
        ("labels: [a]\n    needs: load:open", "categories.mess.needs: "),
        (
            "labels: [a]\n    clear: {on_leaving: keep}",
            "clear.on_leaving: must be one of close_case, keep_case",
        ),
        ("labels: [a]\n    light: dya", 'light: must be one of any, day; did you mean "day"?'),
        ("lables: [a]", 'categories.mess.lables: unknown key; did you mean "labels"?'),
        ("labels: [a]\n  mess2:\n    names: {en: M}\n    labels: [a]", '"a" already makes mess'),
    ],
)
def test_wrong_categories_are_explained(tmp_path: Path, body: str, expected: str) -> None:
    file = tmp_path / "city.yaml"
    file.write_text(f"categories:\n  mess:\n    names: {{en: Mess}}\n    {body}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_categories(file)
    assert expected in str(caught.value)


def test_files_that_extend_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: b.yaml\ncategories: {}\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\ncategories: {}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="files deep"):
        load_categories(tmp_path / "a.yaml")
