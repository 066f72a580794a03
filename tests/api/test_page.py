"""The page of a worker, as HTML and in a real browser. STREET_SCREENSHOTS=DIR keeps the pictures it takes."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from detector.api.app import create_api
from detector.api.facts import Facts
from detector.api.glance import glance
from detector.api.metrics import CAMERA_LIMIT, Gauges, Metrics
from detector.api.page import PAGE_SIZE, span
from detector.api.server import serve_in_thread
from detector.api.state import ApiState
from detector.core.camera import Camera, SamplingMode
from detector.core.health import CameraState
from detector.core.look import LookStatus
from detector.store import OutboxEntry, Store, open_store

NOW = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
CANARY = "canary-9f2"
HOSTILE = "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script>"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/street.db")
    yield opened
    opened.close()


class Rounds:
    patrolled = 143

    def coverage(self) -> float:
        return 0.972


def camera(key: str, mode: SamplingMode = SamplingMode.STREAM, interval_s: float = 10.0, **more: Any) -> Camera:
    return Camera(key, f"rtsp://admin:{CANARY}@10.0.0.5/{key}", mode=mode, interval_s=interval_s, **more)


def state_of(name: str, status: LookStatus, since: timedelta, reason: str | None = None) -> CameraState:
    now = datetime.now(UTC)
    return CameraState(name, status, now - since, now, now, reason)


def lively(store: Store, *, more: int = 0) -> ApiState:
    """A worker on an ordinary morning: some cameras are ill, one endpoint is down."""
    cameras = [
        camera("gate", name="East gate 东门"),
        camera("market", name="Vegetable market 菜市场"),
        camera("bridge", SamplingMode.PATROL, 600),
        camera("school", SamplingMode.PATROL, 600),
        camera("harbour", SamplingMode.PATROL, 600),
        camera("tunnel"),
        camera("new"),
        *(camera(f"lane-{number:03}", SamplingMode.PATROL, 600) for number in range(more)),
    ]
    metrics = Metrics(clock=lambda: 0.0)  # ages stay as they are told
    for name, status, since, reason in [
        ("gate", LookStatus.OK, timedelta(days=3), None),
        ("market", LookStatus.COVERED, timedelta(minutes=75), "nothing can be made out"),
        ("bridge", LookStatus.OK, timedelta(days=9), None),
        ("school", LookStatus.OK, timedelta(hours=30), None),
        ("harbour", LookStatus.UNREACHABLE, timedelta(hours=7), "rtsp://10.0.0.5/harbour: no answer within 5 s"),
        ("tunnel", LookStatus.DARK, timedelta(seconds=40), "next to nothing is brighter than level 40"),
        *((f"lane-{number:03}", LookStatus.OK, timedelta(days=1), None) for number in range(more)),
    ]:
        store.set_camera_state(state_of(name, status, since, reason))
    for name, age_s in {
        "gate": 4,
        "market": 9,
        "bridge": 1300,
        "school": 120,
        "harbour": 7 * 3600,
        "tunnel": 8,
    }.items():
        metrics.look(name, LookStatus.OK, age_s)
    metrics.dropped("gate", 17)
    entries = [OutboxEntry(f"e{n}", "problem.opened", f"p{n}", NOW, b"{}", ("desk", "bureau")) for n in range(3)]
    store.record(datetime.now(UTC), [], entries)
    metrics.watch(
        Gauges(
            open_problems=lambda: {"exposed_garbage": 4, "street_stall": 2},
            outbox_depth=store.outbox_depths,
            oldest_undelivered_s=lambda: 125.0,
            breakers=lambda: {"desk": "closed", "bureau": "open"},
            open_streams=lambda: 3,
        )
    )
    known = {one.id: one for one in cameras}
    facts = Facts("renmin-road", "worker-1", "street-14@0123456789ab", known, "http://127.0.0.1:8900")
    return ApiState(store, metrics, patrol=Rounds(), facts=lambda: facts)


def rows(html: str) -> list[list[str]]:
    """Texts of the cells of the cameras' table."""
    body = html.split('id="cameras"')[1].split("<tbody>")[1].split("</tbody>")[0]
    lines = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [
        [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in re.findall(r"<t[hd].*?</t[hd]>", line, re.DOTALL)]
        for line in lines
    ]


def number(html: str, name: str) -> str:
    found = re.search(rf'id="{name}">([^<]*)<', html)
    assert found is not None, name
    return found[1]


def test_it_tells_how_the_cameras_are_the_worst_first(store: Store) -> None:
    answer = TestClient(create_api(lively(store))).get("/")
    assert answer.headers["content-type"].startswith("text/html")
    told = rows(answer.text)
    names = [one[0] for one in told]
    # ill and late, ill, then what sees: late before timely
    assert names == [
        "harbour",
        "Vegetable market 菜市场 market",
        "tunnel",
        "new",
        "bridge",
        "school",
        "East gate 东门 gate",
    ]
    by_name = dict(zip([name.split()[-1] for name in names], told, strict=True))
    condition = r"unreachable 离线 for 7 h( \d\d min)? rtsp://10.0.0.5/harbour: no answer within 5 s"
    assert re.fullmatch(condition, by_name["harbour"][1])
    assert by_name["harbour"][2:] == ["7 h ago", "patrol 轮巡 each 10 min", "0"]
    assert by_name["gate"][1:] == ["sees 正常", "4 s ago", "stream 连续 each 10 s", "17"]
    assert by_name["bridge"][2] == "21 min 40 s ago"
    assert by_name["new"][1:3] == ["not looked at yet 尚未巡查", "–"]
    late = re.findall(r'<b class="late">([^<]*)<', answer.text)
    assert sorted(late) == ["21 min 40 s ago", "7 h ago"]


def test_it_tells_coverage_drops_model_and_what_waits(store: Store) -> None:
    html = TestClient(create_api(lively(store))).get("/").text
    assert number(html, "coverage") == "97.2 %"
    assert "of 143 patrolled looked at within their period" in html
    assert number(html, "model") == "street-14@0123456789ab"
    assert number(html, "dropped") == "17"
    assert number(html, "waiting") == "6"
    assert "the oldest for 2 min 05 s" in html
    assert "<b>3 of 7</b>" in html
    assert 'href="http://127.0.0.1:8900"' in html
    endpoints = html.split('id="endpoints"')[1]
    assert re.search(r"bureau</th>.*?down, tried seldom.*?>3<", endpoints)
    assert re.search(r"desk</th>.*?takes events.*?>3<", endpoints)


def test_it_can_be_asked_for_one_condition_and_page_by_page(store: Store) -> None:
    client = TestClient(create_api(lively(store, more=PAGE_SIZE)))
    assert [one[0] for one in rows(client.get("/?status=unreachable").text)] == ["harbour"]
    assert "No camera is in this condition" in client.get("/?status=frozen").text
    assert client.get("/?status=lost").status_code == 422
    first, second = client.get("/?status=ok").text, client.get(f"/?status=ok&offset={PAGE_SIZE}").text
    names = [one[0] for one in [*rows(first), *rows(second)]]
    assert (len(rows(first)), len(set(names))) == (PAGE_SIZE, PAGE_SIZE + 3)
    assert f'href="/?status=ok&amp;offset={PAGE_SIZE}"' in first
    assert 'href="/?status=ok"' in second


def test_a_worker_that_knows_little_has_a_page_too(store: Store) -> None:
    client = TestClient(create_api(ApiState(store, Metrics())))
    assert "There is no camera." in client.get("/").text
    store.set_camera_state(CameraState("cam", LookStatus.OK, NOW, NOW, NOW))
    (row,) = rows(client.get("/").text)
    assert (row[0], row[1], row[3]) == ("cam", "sees 正常", "not in the settings")


def test_cameras_beyond_the_limit_of_series_have_their_age_all_the_same(store: Store) -> None:
    known = {f"c{n}": camera(f"c{n}") for n in range(3)}
    metrics = Metrics(camera_limit=1)
    for name in known:
        metrics.look(name, LookStatus.OK, 5.0)
        metrics.dropped(name)
    seen = glance(Facts(cameras=known), {}, metrics.ages(), metrics.drops(), Gauges(), NOW)
    assert all(one.age_s is not None and one.age_s >= 5 for one in seen.cameras)
    assert seen.dropped == 3
    assert CAMERA_LIMIT > 1


@pytest.mark.parametrize(
    ("mode", "age_s", "late"),
    [
        (SamplingMode.STREAM, 24.0, False),
        (SamplingMode.STREAM, 26.0, True),
        (SamplingMode.PATROL, 15.0, False),
        (SamplingMode.PATROL, 17.0, True),
    ],
)
def test_when_a_camera_is_late(mode: SamplingMode, age_s: float, late: bool) -> None:
    one = camera("gate", mode)
    states = {"gate": CameraState("gate", LookStatus.OK, NOW, NOW, NOW)}
    assert glance(Facts(cameras={"gate": one}), states, {"gate": age_s}, {}, Gauges(), NOW).cameras[0].late is late
    film = camera("gate", mode, realtime=False)
    row = glance(Facts(cameras={"gate": film}), states, {"gate": age_s}, {}, Gauges(), NOW).cameras[0]
    assert (row.late, row.sampling) == (False, "file")


def test_an_age_comes_from_the_database_where_this_worker_has_seen_nothing() -> None:
    before = NOW - timedelta(minutes=5)
    for status, age_s in ((LookStatus.OK, 300.0), (LookStatus.UNREACHABLE, 600.0)):
        states = {"gate": CameraState("gate", status, before, before, before - timedelta(minutes=5))}
        (row,) = glance(Facts(cameras={"gate": camera("gate")}), states, {}, {}, Gauges(), NOW).cameras
        assert row.age_s == age_s


def test_no_secret_stands_on_it(store: Store) -> None:
    url = f"rtsp://admin:{CANARY}@10.0.0.5:554/stream?token={CANARY}"
    store.set_camera_state(CameraState(url, LookStatus.DARK, NOW, NOW, NOW, f"cannot open {url}"))
    metrics = Metrics()
    metrics.watch(Gauges(breakers=lambda: {url: "open"}))
    html = TestClient(create_api(ApiState(store, metrics))).get("/").text
    assert "10.0.0.5" in html
    assert CANARY not in html


def test_times_in_words() -> None:
    assert [span(s) for s in (0, 59.6, 125, 12_000, 200_000)] == [
        "0 s",
        "1 min",
        "2 min 05 s",
        "3 h 20 min",
        "2 d 07 h",
    ]


@pytest.mark.skipif(CHROMIUM is None, reason="NO BROWSER: install chromium to test the pages")
def test_in_a_browser(store: Store) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[dev]'")
    state = lively(store)
    store.set_camera_state(state_of("tunnel", LookStatus.DARK, timedelta(seconds=40), HOSTILE))
    server = serve_in_thread(create_api(state), "127.0.0.1", 0)
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    complaints: list[str] = []
    requests: list[str] = []
    try:
        with playwright.sync_playwright() as engine:
            chromium = engine.chromium.launch(executable_path=CHROMIUM, args=arguments, timeout=120_000)
            for name, size, scheme in (("wide", (1280, 860), "light"), ("telephone", (390, 800), "dark")):
                context = chromium.new_context(
                    viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, java_script_enabled=True
                )
                page = context.new_page()
                page.set_default_timeout(120_000)
                page.on("console", lambda message: complaints.append(message.text))
                page.on("request", lambda request: requests.append(request.url))
                page.goto(server.url)
                assert page.locator("#cameras tbody tr").count() == 7
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
                assert page.evaluate("window.pwned") is None
                assert HOSTILE in page.locator("#cameras").inner_text()
                style = page.evaluate("getComputedStyle(document.querySelector('.tile')).borderTopLeftRadius")
                assert style == "12px", "its style was loaded"
                if folder := os.environ.get("STREET_SCREENSHOTS"):
                    page.screenshot(path=str(Path(folder) / f"worker-{name}.png"), full_page=True)
                page.locator(".chips a", has_text="unreachable").click()
                assert page.locator("#cameras tbody tr").count() == 1
                context.close()
            chromium.close()
    finally:
        server.stop()
    assert complaints == []
    assert all(address.startswith(server.url) for address in requests)
