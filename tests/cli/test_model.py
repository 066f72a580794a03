"""`detector model info`, and the card beside the manifest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from detector.cli.model import app
from detector.inference.bundle import load_bundle

NOTE = "synthetic pictures only: a person must look first"


@pytest.fixture
def shipped(root: Path) -> Path:
    return root / "models" / "street-14"


def test_info_and_card_mark_each_label_that_was_learned_from_rendered_pictures_only(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "240")  # a row a line
    bundle = load_bundle(shipped)
    rendered, real = bundle.synthetic_only, set(bundle.labels) - bundle.synthetic_only
    assert rendered
    assert real
    told = CliRunner().invoke(app, ["info", str(shipped), "--json"])
    assert told.exit_code == 0
    assert {label["name"] for label in json.loads(told.stdout)["labels"] if label["synthetic_only"]} == rendered
    shown = CliRunner().invoke(app, ["info", str(shipped)]).stdout.splitlines()
    card = (shipped / "card.md").read_text(encoding="utf-8")
    for label in bundle.labels:
        (row,) = (line for line in shown if line.split()[:1] == [label])
        assert (NOTE in row) is (label in rendered)
        assert (f"| {label} (synthetic only) |" in card) is (label in rendered)
        assert (f"**{label}**: trained on synthetic pictures only" in card) is (label in rendered)
