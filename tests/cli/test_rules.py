"""The commands of `detector rules` on the example of a fleet."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from detector.cli.main import app
from detector.config import shipped
from detector.errors import ConfigError

EXAMPLE = str(shipped("configs/example.yaml"))
TABLE = str(shipped("configs/expectations.example.yaml"))


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMERA_PASSWORD", "x")
    monkeypatch.setenv("DISPATCH_SECRET", "whsec_" + base64.b64encode(bytes(32)).decode())
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["rules", *arguments], catch_exceptions=True)


def explained(at: str, point: str, *more: str, category: str = "street_stall") -> Result:
    where = ("--camera", "east-gate", "--category", category, "--at", at, "--point", point)
    return run("explain", "-c", EXAMPLE, *where, *more)


def test_explain_tells_the_outcome_the_rule_and_the_way_to_it() -> None:
    told = explained("2027-05-04T17:59", "0.3,0.8")
    assert told.exit_code == 0, told.output
    lines = [" ".join(line.split()) for line in told.output.splitlines()]
    assert "a case, 09002 (GB/T 47678.5-2026), 0402 (GB/T 30428.2-2013): rule:vending-outside-hours" in " ".join(lines)
    assert "Tuesday 2027-05-04 17:59 there, in east-gate-market" in lines
    assert lines[-2:] == [
        "permit:night-market - outside its hours",
        "rule:vending-outside-hours decides a case by this rule",
    ]


def test_explain_converts_a_moment_with_an_offset_to_the_street_s_clock() -> None:
    told = explained("2027-05-04T10:01Z", "0.3,0.8", "--json")
    answer = json.loads(told.stdout)
    assert answer["at"] == "2027-05-04T18:01:00+08:00"
    assert answer["explanation"]["outcome"] == {"case": False, "rule": "permit:night-market", "codes": {}}
    assert answer["explanation"]["reasons"][-1]["decided"] is True


def test_explain_knows_zones_of_the_map() -> None:
    told = explained("2027-05-04T12:00", "0.9,0.5", "--ground", "35.0228,110.9977", "--json")
    assert json.loads(told.stdout)["explanation"]["zones"] == ["old-town-square"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("2027-05-04", "0.3"), "--point: .* is not two numbers"),
        (("2027-05-04", "30,80"), "--point: .* is outside"),
        (("yesterday", "0.3,0.8"), "--at: .* is no moment"),
        (("2027-05-04", "0.3,0.8", "--ground", "111,35"), "--ground: .* is outside"),
        (("2027-05-04", "0.3,0.8", "--camera", "east-gat"), 'no camera "east-gat"; did you mean "east-gate"'),
        (
            ("2027-05-04", "0.3,0.8", "--category", "streetstall"),
            'no category "streetstall"; did you mean "street_stall"',
        ),
    ],
)
def test_explain_refuses_what_makes_no_sense(arguments: tuple[str, str], message: str) -> None:
    told = explained(*arguments)
    assert isinstance(told.exception, ConfigError)
    with pytest.raises(ConfigError, match=message):
        raise told.exception


def test_the_example_table_is_met() -> None:
    told = run("test", TABLE, "-c", EXAMPLE)
    assert (told.exit_code, told.output) == (0, "8 of 8 as expected\n")


def test_a_table_that_is_not_met_is_told_line_by_line(tmp_path: Path) -> None:
    table = tmp_path / "table.yaml"
    table.write_text(
        """\
expectations:
  - {camera: east-gate, category: street_stall, at: 2027-05-04T18:01, point: [0.3, 0.8], expect: no_case}
  - {camera: east-gate, category: street_stall, at: 2027-05-04T18:01, point: [0.3, 0.8], expect: case, code: "09002",
     rule: rule:x}
  - {camera: est-gate, category: street_stall, at: 2027-05-04T18:01, expect: case}
"""
    )
    told = run("test", str(table), "-c", EXAMPLE, "--json")
    assert told.exit_code == 1
    wrong = "no case instead of case; decided by permit:night-market instead of rule:x; no code instead of code 09002"
    assert json.loads(told.stdout) == {
        "ok": False,
        "expectations": 3,
        "failures": [
            {"where": f"{table}:3", "wrong": f"street_stall at east-gate on Tue 2027-05-04 18:01: {wrong}"},
            {"where": f"{table}:5", "wrong": 'no camera "est-gate"; did you mean "east-gate"?'},
        ],
    }


def test_a_broken_table_is_refused_with_file_line_and_key(tmp_path: Path) -> None:
    table = tmp_path / "table.yaml"
    table.write_text("expectations:\n  - {camera: a, category: b, at: soon, expect: maybe}\n")
    told = run("test", str(table), "-c", EXAMPLE)
    assert isinstance(told.exception, ConfigError)
    lines = str(told.exception).splitlines()
    assert lines[0].startswith(f'{table}:2: expectations[0].at: "soon" is no moment')
    assert lines[1].startswith(f"{table}:2: expectations[0].expect: must be one of case, no_case")


def test_list_as_json_and_as_tables() -> None:
    listed = json.loads(run("list", "-c", EXAMPLE, "--json").stdout)
    assert {zone["id"] for zone in listed["zones"]} >= {"east-gate-market", "old-town-square"}
    night = next(permit for permit in listed["permits"] if permit["id"] == "night-market")
    assert night["windows"][1] == {"start": "18:00:00", "end": "02:00:00", "weekdays": [4, 5]}
    assert night["validity"]["never"] == ["2027-06-07", "2027-06-08"]
    assert "vending-outside-hours" in {rule["id"] for rule in listed["rules"]}
    text = run("list", "-c", EXAMPLE).output
    assert "fri sat 18:00-02:00" in text
    assert "2027-04-01..2027-10-31" in text
