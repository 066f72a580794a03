"""What the pages say, and that nothing in an event can make them say or do anything else."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from detector.desk import DeskOptions, create_desk
from detector.desk.appearance import span
from detector.errors import ConfigError

HOSTILE = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>{{7*7}}</textarea>"


class Reader(HTMLParser):
    """Collects what a browser would load, run or follow."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_a_case_in_both_languages(desk: Any, make: Any) -> None:
    desk.send(make.problem(review=True))
    page = Reader(desk.client.get("/").text)
    for expected in ("Exposed garbage", "暴露垃圾", "cam-1", "score 0.80", "待审", "2026-03-02 01:00:00"):
        assert expected in page.text


def test_a_cleared_case_tells_how_long_it_took(desk: Any, make: Any) -> None:
    desk.send(make.problem("opened", revision=1, minute=0))
    desk.send(make.problem("cleared", revision=2, minute=125))
    page = desk.client.get("/").text
    assert "Cleared after" in page
    assert "2 h 05 min" in page
    case = desk.client.get("/cases.json").json()["cases"][0]["id"]
    detail = Reader(desk.client.get(f"/cases/{case}").text)
    assert "After clearing" in detail.text
    assert detail.text.index("Opened 发现") < detail.text.index("Cleared 消失")


def test_a_case_that_became_legal_says_so_and_by_what(desk: Any, make: Any) -> None:
    desk.send(make.problem("opened", revision=1, minute=0))
    allowed = {"cleared_reason": "allowed", "cleared_rule": "permit:night-market"}
    desk.send(make.problem("cleared", revision=2, minute=60, **allowed))
    [case] = desk.client.get("/cases.json").json()["cases"]
    assert (case["status"], case["cleared_by"]) == ("cleared", "permit:night-market")
    told = desk.client.get(f"/cases/{case['id']}.json").json()["history"][-1]
    assert (told["cleared_reason"], told["cleared_rule"]) == ("allowed", "permit:night-market")
    page = Reader(desk.client.get(f"/cases/{case['id']}").text).text
    assert "no case any more permit:night-market" in page
    assert "已合规: permit:night-market" in page
    desk.send(make.problem("reopened", revision=3, minute=90))
    desk.send(make.problem("cleared", revision=4, minute=120, cleared_reason="gone"))
    [case] = desk.client.get("/cases.json").json()["cases"]
    assert (case["status"], case["cleared_by"]) == ("cleared", None)


def test_times_are_shown_in_the_bureaus_zone(make_desk: Any, make: Any) -> None:
    desk = make_desk(timezone="Asia/Shanghai")
    desk.send(make.problem())
    page = Reader(desk.client.get("/").text)
    assert "2026-03-02 09:00:00" in page.text
    assert "Asia/Shanghai" in page.text


def test_an_unknown_zone_is_told(make: Any, tmp_path: Path) -> None:
    for zone in ("Mars/Olympus", "../../etc/passwd", ""):
        with pytest.raises(ConfigError, match="time zone"):
            create_desk(DeskOptions(f"sqlite:///{tmp_path}/d.db", [make.secret], timezone=zone))


def test_hostile_text_stays_text(desk: Any, make: Any) -> None:
    hostile = make.problem(
        problem=HOSTILE[:60],
        category=HOSTILE,
        category_names={"en": HOSTILE, "zh-CN": HOSTILE},
        codes={HOSTILE: HOSTILE},
        camera_id=HOSTILE,
        label=HOSTILE,
        model_version=HOSTILE,
        evidence={"url": "javascript:alert(1)", "reason": HOSTILE},
    )
    assert desk.send(hostile).status_code == 200
    assert desk.send(make.camera(HOSTILE, HOSTILE, reason=HOSTILE)).status_code == 200
    case = desk.client.get("/cases.json").json()["cases"][0]["id"]
    harmless = Reader(desk.client.get("/cases.json?status=cleared").text)
    assert harmless.tags == []
    for path in ("/", f"/cases/{case}"):
        page = Reader(desk.client.get(path).text)
        assert page.tags.count("script") == 1  # the desk's own
        assert page.handlers == []
        assert not [address for address in page.addresses if not address.startswith("/")]
        assert HOSTILE in page.text
        assert "{{7*7}}" in page.text


def test_pages_load_nothing_from_outside(desk: Any, make: Any) -> None:
    desk.send(make.problem())
    answer = desk.client.get("/")
    page = Reader(answer.text)
    assert all(address.startswith("/") for address in page.addresses)
    assert "style" not in page.tags
    for address in {address for address in page.addresses if address.startswith("/assets/")}:
        asset = desk.client.get(address)
        assert asset.status_code == 200
        assert "http" not in asset.text.replace("http://www.w3.org/2000/svg", "")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert desk.client.get("/assets/base.html").status_code == 404


def test_a_worker_is_linked_where_one_is_named(make_desk: Any, desk: Any, tmp_path: Path) -> None:
    named = make_desk(database_url=f"sqlite:///{tmp_path}/named.db", worker_url="http://li:canary4711@10.0.0.7:8800")
    for path in ("/", "/streets", "/figures"):
        html = named.client.get(path).text
        assert [one for one in Reader(html).addresses if one.startswith("http")] == ["http://10.0.0.7:8800"]
        assert "canary4711" not in html
        assert "8800" not in desk.client.get(path).text


def test_the_tiles_count_and_filter(desk: Any, make: Any) -> None:
    desk.send(make.problem(problem="a"))
    desk.send(make.problem(problem="b", review=True))
    desk.send(make.problem("cleared", problem="c"))
    html = desk.client.get("/").text
    assert [int(part.split("<")[0]) for part in html.split("<b>")[1:5]] == [
        2,
        1,
        1,
        0,
    ]  # open, of them to review, cleared, dismissed
    assert 'href="/?status=open&amp;stage=collect"' in html
    only = desk.client.get("/?status=open&stage=collect&category=&camera=").text
    assert only.count('class="card ') == 1
    assert "reset" in only
    assert desk.client.get("/?status=lost").status_code == 422
    assert desk.client.get("/?stage=lost").status_code == 422


def test_many_cases_are_paged(desk: Any, make: Any) -> None:
    for number in range(30):
        desk.send(make.problem(problem=f"p{number}", minute=number))
    first = desk.client.get("/?status=open").text
    assert first.count('class="card ') == 24
    assert "1–24 of 30" in first
    assert 'href="/?status=open&amp;offset=24"' in first
    second = desk.client.get("/?status=open&offset=24").text
    assert second.count('class="card ') == 6
    assert 'href="/?status=open"' in second


def test_an_empty_desk_says_so(desk: Any) -> None:
    assert "No case yet" in desk.client.get("/").text
    assert "No case matches" in desk.client.get("/?status=open").text


def test_browsers_get_pages_and_programs_json_when_refused(desk: Any) -> None:
    page = desk.client.get("/cases/none", headers={"accept": "text/html"})
    assert (page.status_code, "no such case" in page.text) == (404, True)
    assert page.headers["content-type"].startswith("text/html")
    assert json.loads(desk.client.get("/cases/none").text) == {"detail": "no such case"}


def test_a_broken_ledger_is_told_and_the_event_is_not_taken(desk: Any, make: Any, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "desk.db") as connection:
        connection.execute("DROP TABLE case_file")
    connection.close()
    assert desk.client.get("/healthz").status_code == 503
    assert desk.send(make.problem()).status_code == 503
    with sqlite3.connect(tmp_path / "desk.db") as connection:
        assert connection.execute("SELECT count(*) FROM event").fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=7, seconds=4), "7 min 04 s"),
        (timedelta(hours=2, minutes=5), "2 h 05 min"),
        (timedelta(days=3, hours=4, minutes=50), "3 d 4 h"),
    ],
)
def test_durations_for_people(duration: timedelta, words: str) -> None:
    assert span(duration) == words
