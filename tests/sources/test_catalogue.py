"""Lists of cameras."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.core.camera import SamplingMode
from detector.core.geo import GeoPoint
from detector.errors import ConfigError
from detector.sources.catalogue import read_catalogue

SECRET = "h1dden"


def test_a_list_is_read_whatever_the_order_of_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "cameras.csv"
    path.write_text(
        "name,id,url,lat,lon,mode,interval,district,remark\n"
        "East gate,east,rtsp://u:p@10.0.0.1/1,31.2304,121.4737,patrol,600,Huangpu,x\n"
        '"Market, north",market,rtsp://10.0.0.2/1,,,,,\n'
        "\n",
        encoding="utf-8-sig",
    )
    east, market = read_catalogue(path)
    assert (east.id, east.name, east.mode, east.interval_s) == ("east", "East gate", SamplingMode.PATROL, 600)
    assert east.position == GeoPoint(31.2304, 121.4737)
    assert east.district == "Huangpu"
    assert (market.name, market.position, market.mode, market.interval_s) == ("Market, north", None, None, None)
    assert (east.line, market.line) == (2, 3)
    assert "rtsp://" not in repr(east)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_chinese_lists_in_both_encodings(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "cameras.csv"
    lines = [
        "设备编码,设备名称,流地址,经度,纬度,采样方式",
        "34020000001320000001,人民路口,rtsp://10.0.0.1/1,121.47,31.23,轮巡",
    ]
    path.write_text("\n".join(lines).replace(",", delimiter), encoding=encoding)
    (row,) = read_catalogue(path)
    assert row.name == "人民路口"
    assert row.position == GeoPoint(31.23, 121.47)
    assert row.mode is SamplingMode.PATROL


def test_all_that_is_wrong_is_told_with_its_line_and_without_secrets(tmp_path: Path) -> None:
    path = tmp_path / "cameras.csv"
    url = f"rtsp://u:{SECRET}@10.0.0.1/1"
    path.write_text(
        "id,url,lat,lon,mode,interval\n"
        f"a,{url},,,,\n"
        f",{url},,,,\n"
        "c,,,,,\n"
        f"a,{url},,,,\n"
        f"e,{url},91,10,,\n"
        f"f,{url},north,10,,\n"
        f"g,{url},10,,,\n"
        f"h,{url},,,sometimes,\n"
        f"i,{url},,,,0\n"
        f"j,{url},nan,1,,\n"
    )
    with pytest.raises(ConfigError) as caught:
        read_catalogue(path)
    text = str(caught.value)
    for told in (
        "cameras.csv",
        "line 3: no id",
        "line 4: camera c has no url",
        "line 5: id a is there already, on line 2",
        "line 6: not a WGS-84 position",
        "line 7: lat must be a number, not north",
        "line 8: lat without lon",
        "line 9: mode must be stream or patrol, not sometimes",
        "line 10: interval must be more than 0 seconds",
        "line 11: lat must be a number",
    ):
        assert told in text
    assert SECRET not in text


def test_missing_columns_files_and_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_catalogue(tmp_path / "none.csv")
    path = tmp_path / "cameras.csv"
    path.write_text("")
    with pytest.raises(ConfigError, match="empty"):
        read_catalogue(path)
    path.write_text("name,where\n")
    with pytest.raises(ConfigError, match="line 1: no column id and no column url; known headings: id, "):
        read_catalogue(path)
    path.write_bytes(b"\xff\xfe\x00\xd8\xff\xff")
    with pytest.raises(ConfigError, match=r"cameras\.csv"):
        read_catalogue(path)
