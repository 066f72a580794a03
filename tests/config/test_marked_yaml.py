from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.config.marked_yaml import Document, overlay, read_yaml

FILE = Path("fleet.yaml")


def read(text: str) -> Document:
    return read_yaml(FILE, text)


def test_every_key_and_item_knows_its_line() -> None:
    document = read("a: 1\nb:\n  - x\n  - c:\n      d: 2\n")
    assert document.data == {"a": 1, "b": ["x", {"c": {"d": 2}}]}
    lines = {path: mark.line for path, mark in document.marks.items()}
    assert lines == {
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 1): 4,
        ("b", 1, "c"): 4,
        ("b", 1, "c", "d"): 5,
    }


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"),
        ("NO", "NO"),
        ("18:30", "18:30"),
        ("06010", "06010"),
        ("2026-07-01", "2026-07-01"),
        ("true", True),
        ("~", None),
        ("-3", -3),
        ("1e3", 1000.0),
        ("0", 0),
        ("'5'", "5"),
    ],
)
def test_scalars_mean_what_they_look_like(written: str, value: object) -> None:
    result = read(f"key: {written}").data["key"]
    assert result == value
    assert type(result) is type(value)


def test_a_key_given_twice_names_both_lines() -> None:
    (finding,) = read("a: 1\nb: 2\na: 3\n").findings
    assert str(finding) == "fleet.yaml:3: a: given twice, first in line 1; keep one of them"


def test_a_syntax_error_has_its_line() -> None:
    (finding,) = read("a: 1\nb: [1, 2\nc: 3\n").findings
    assert finding.line == 3


@pytest.mark.parametrize("text", ["- a\n- b\n", "just text"])
def test_only_a_mapping_is_a_configuration(text: str) -> None:
    (finding,) = read(text).findings
    assert "must be a mapping" in finding.message


def test_an_empty_file_is_an_empty_mapping() -> None:
    document = read("# nothing\n")
    assert document.data == {}
    assert not document.findings


def test_a_missing_file_and_a_wrong_encoding_are_findings(tmp_path: Path) -> None:
    (missing,) = read_yaml(tmp_path / "none.yaml").findings
    assert "No such file" in missing.message
    file = tmp_path / "gbk.yaml"
    file.write_bytes("name: 东门".encode("gb18030"))
    (encoding,) = read_yaml(file).findings
    assert "not UTF-8" in encoding.message


def test_aliases_that_expand_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.config.marked_yaml.MAX_NODES", 1000)
    lines = ["a0: &a0 [1, 1]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 12)]
    document = read("\n".join(lines))
    assert document.data == {}
    assert "expands to over" in document.findings[0].message


def test_an_alias_of_itself_ends() -> None:
    assert "expands to over" in read("a: &a [*a]").findings[0].message


def test_tags_make_no_objects() -> None:
    assert read("a: !!python/object/apply:os.system ['true']").data == {"a": ["true"]}


@given(st.text())
def test_any_text_gives_a_document_or_findings(text: str) -> None:
    document = read(text)
    assert isinstance(document.data, dict)


def test_an_overlay_replaces_keys_and_keeps_the_lines_of_both() -> None:
    base = read_yaml(Path("base.yaml"), "x:\n  a: 1\n  b: [1, 2]\n")
    merged = overlay(base, read_yaml(Path("city.yaml"), "x:\n  b: [3]\n"))
    assert merged.data == {"x": {"a": 1, "b": [3]}}
    assert str(merged.mark(("x", "a")).file) == "base.yaml"
    assert str(merged.mark(("x", "b")).file) == "city.yaml"
