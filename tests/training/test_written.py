"""What people write for training is refused with file, line and field, whichever reader it is for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from detector.errors import ConfigError, DatasetError
from detector.training import importing, recipe
from detector.training.origins import read_origins
from detector.training.partial_sets import MixtureRecipe, merge_sets, read_mixture
from detector.training.written import read_mapping
from tests.training.drawn import draw_sets

READERS: dict[str, tuple[Callable[[Path], object], type[Exception], str, str]] = {
    # the reader, its error, a file with a misspelt field in line 3, what is said of it
    "origins": (read_origins, DatasetError, "sets:\n  a:\n    licens: CC0\n", r'sets\.a\.licens: .*"licence"'),
    "import": (importing.read_recipe, DatasetError, "name: x\nsets: []\nlabel: [a]\n", r'label: .*"labels"'),
    "mixture": (read_mixture, DatasetError, "name: x\nsets:\n  a: {knwon: [bin]}\n", r'sets\.a\.knwon: .*"known"'),
    "run": (recipe.read_recipe, ConfigError, "name: x\nmodel: m\nthread: 2\n", r'thread: .*"threads"'),
}


@pytest.mark.parametrize("name", READERS)
def test_a_misspelt_field_is_named_with_its_line_and_what_was_meant(tmp_path: Path, name: str) -> None:
    read, error, text, said = READERS[name]
    path = tmp_path / "written.yaml"
    path.write_text(text)
    with pytest.raises(error, match=rf"written\.yaml:3: {said}"):
        read(path)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, r"written\.yaml: cannot be read: No such file"),
        (b"name: x\nsets: [a\n", r"written\.yaml:3: "),
        (b"name: x\nname: y\n", r"written\.yaml:2: name: given twice"),
        (b"- x\n", r"written\.yaml:1: must be a mapping"),
        (b"name: \xff\n", r"written\.yaml: is not UTF-8"),
        (b"", r"written\.yaml:1: sets: is missing|written\.yaml:1: stages: is missing"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str, text: bytes | None, said: str) -> None:
    read, error, _, _ = READERS[name]
    path = tmp_path / "written.yaml"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(error, match=said):
        read(path)


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("name: x\ndata: d.yaml\nstages:\n  - {epochs: 0}\n  - {epochs: 1, batch: none}\n")
    with pytest.raises(ConfigError) as caught:
        recipe.read_recipe(path)
    told = [line.split(": ")[:2] for line in str(caught.value).splitlines()]
    assert told == [[f"{path}:1", "model"], [f"{path}:4", "stages[0].epochs"], [f"{path}:5", "stages[1].batch"]]


@pytest.mark.parametrize("text", ["", "[a]\n", "names: [square\n"])
def test_a_set_whose_data_yaml_says_nothing_is_refused(tmp_path: Path, text: str) -> None:
    root = draw_sets(tmp_path / "sets")
    (root / "discs/data.yaml").write_text(text)
    wanted = MixtureRecipe.model_validate({"name": "x", "labels": ["square", "disc"], "sets": {"discs": {}}})
    with pytest.raises(DatasetError, match=r"discs/data\.yaml:.*(names: is missing|must be a mapping|expected)"):
        merge_sets(wanted, [root], tmp_path / "out")


def test_an_unjudged_file_keeps_text_as_text(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("no: bin\n3: null\n")
    assert read_mapping(path) == {"no": "bin", "3": None}
