"""The recipes in the repository: every set has an origin and a licence, and its labels lead to ours."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
import yaml

from detector.errors import DatasetError
from detector.training.formats.yolo import read_data_yaml
from detector.training.gate import read_floors
from detector.training.origins import read_origins
from detector.training.partial_sets import read_mixture


def test_every_real_set_of_the_mixture_has_an_origin_whose_labels_arrive(root: Path) -> None:
    folder = root / "datasets/street-14"
    mixture, origins = read_mixture(folder / "manifest.yaml"), read_origins(folder / "origins.yaml")
    real = {name for name, entry in mixture.sets.items() if not entry.synthetic}
    assert set(origins.sets) - real == {"truck-loads"}, "crops without boxes train no detector"
    assert real <= set(origins.sets)
    for name in real:
        arrived = {label for label in origins.sets[name].classes.values() if label is not None}
        assert arrived <= {*mixture.labels, *mixture.sets[name].map}, name


def test_no_set_of_the_mixture_stands_twice_and_floors_name_its_labels(root: Path) -> None:
    folder = root / "datasets/street-14"
    lines = (folder / "manifest.yaml").read_text().split("\nsets:\n")[1].splitlines()
    names = Counter(line.strip().split(":")[0] for line in lines if line.startswith("  ") and line[2] not in " #")
    assert max(names.values()) == 1
    mixture = read_mixture(folder / "manifest.yaml")
    for floor in read_floors(folder / "floors.yaml"):
        label, _, source = floor.partition("@")
        assert label in mixture.labels
        assert not source or source in mixture.sets


def test_the_sets_at_hand_are_those_of_the_recipe(shared: Path, root: Path) -> None:
    origins = read_origins(root / "datasets/street-14/origins.yaml")
    folders = {path.name for path in (shared / "data").iterdir() if path.is_dir()}
    assert folders == set(origins.sets)
    for name, origin in origins.sets.items():
        readme = (shared / "data" / name / "README.md").read_text()
        assert origin.url.removeprefix("https://github.com/") in readme, name
        if origin.format == "crops":
            with (shared / "data" / name / "labels.csv").open() as file:
                assert list(csv.DictReader(file))
            continue
        mapped = read_mixture(root / "datasets/street-14/manifest.yaml").sets[name].map
        at_hand = {mapped.get(label, label) for label in read_data_yaml(shared / "data" / name / "data.yaml").names}
        fetched = {mapped.get(label, label) for label in origin.classes.values() if label is not None}
        assert not origin.classes or fetched - {None} == at_hand - {None}, name


@pytest.mark.parametrize(
    ("change", "message"),
    [({"licence": ""}, "sets.a.licence"), ({"url": "ftp://x"}, "sets.a.url"), ({"colour": 1}, "sets.a.colour")],
)
def test_a_wrong_entry_is_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    entry = {"url": "https://x", "at": ".", "format": "yolo", "licence": "CC0", "groups": "picture"}
    path = tmp_path / "origins.yaml"
    path.write_text(yaml.safe_dump({"sets": {"a": entry | change}}))
    with pytest.raises(DatasetError, match=message):
        read_origins(path)
