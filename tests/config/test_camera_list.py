from __future__ import annotations

from pathlib import Path

import pytest

from detector.config.camera_list import read_camera_list


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_spreadsheets_of_chinese_offices_are_read(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "cameras.csv"
    file.write_bytes('id,name,url\r\na,"东门, 北侧",rtsp://h/x\r\n\r\nb,,rtsp://h/y\r\n'.encode(encoding))
    document = read_camera_list(file)
    assert not document.findings
    assert document.data["cameras"] == [
        {"id": "a", "name": "东门, 北侧", "url": "rtsp://h/x"},
        {"id": "b", "url": "rtsp://h/y"},
    ]
    assert [document.mark(("cameras", index)).line for index in (0, 1)] == [2, 4]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ":1: lacks the column id, url"),
        ("id,adress,url\n", ":1: adress: unknown column; known: id"),
        ("id,urll,url\n", ':1: urll: unknown column; did you mean "url"?'),
        ("id,url\na,b,c\n", ":2: has 3 cells, the header 2"),
        ('id,url\na,"b\n', "is not CSV"),
    ],
)
def test_a_wrong_list_is_explained(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "cameras.csv"
    file.write_text(text, encoding="utf-8")
    (finding, *_) = read_camera_list(file).findings
    assert expected in str(finding)


def test_a_missing_list_is_a_finding(tmp_path: Path) -> None:
    (finding,) = read_camera_list(tmp_path / "none.csv").findings
    assert "cannot be read" in finding.message
