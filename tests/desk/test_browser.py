"""The pages in a real browser. STREET_SCREENSHOTS=DIR keeps the pictures it takes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import httpx
import numpy as np
import pytest

from detector.api.server import ServerHandle, serve_in_thread
from detector.core.category import Clock, Deadline
from detector.core.deadline import Office
from detector.core.routing import Department, Route, Street, routing_of
from detector.desk import DeskOptions, create_desk
from detector.desk.plan import Escalation, Plan

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[dev]'")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="NO BROWSER: install chromium to test the pages")
DAY = "2026/03/02"
HOSTILE = "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script>"


def street(path: Path, number: int, *, dirty: bool) -> None:
    """Draw a street corner, with a heap on the pavement or without."""
    image = np.full((540, 960, 3), (214, 196, 170), np.uint8)
    cv2.rectangle(image, (0, 300), (960, 540), (112, 110, 108), -1)
    cv2.rectangle(image, (0, 270), (960, 330), (176, 180, 184), -1)
    for left in range(20 + 37 * number % 90, 960, 190):
        cv2.rectangle(image, (left, 60), (left + 150, 270), (120 + 20 * (number % 5), 140, 165), -1)
        cv2.rectangle(image, (left + 45, 120), (left + 105, 270), (80, 70, 60), -1)
    cv2.line(image, (0, 430), (960, 430), (230, 230, 230), 6)
    if dirty:
        left = 180 + 130 * (number % 5)
        for step in range(14):
            centre = (left + 9 * step, 330 - 14 * (step % 3))
            cv2.circle(image, centre, 20, (30 + 9 * step, 40 + 12 * step, 60 + 6 * step), -1)
        cv2.rectangle(image, (left - 26, 276), (left + 146, 356), (0, 90, 255), 4)
        cv2.putText(image, "garbage 0.8", (left - 26, 266), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 60, 220), 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


@dataclass
class Served:
    """A desk on a real port."""

    server: ServerHandle
    send: Callable[..., httpx.Response]
    access_log: Path

    @property
    def seen(self) -> list[tuple[str, str]]:
        """(reader, picture) for every picture handed out so far."""
        files = sorted(self.access_log.glob("*.jsonl"))
        entries = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        return [(entry["who"], entry["picture"]) for entry in entries]

    @property
    def url(self) -> str:
        return self.server.url


@pytest.fixture
def serve(tmp_path: Path, make: Any, sender_of: Any) -> Iterator[Callable[..., Served]]:
    """Start desks that show the pictures of tmp_path/evidence."""
    running: list[tuple[ServerHandle, httpx.Client]] = []

    def start(**options: Any) -> Served:
        app = create_desk(
            DeskOptions(
                f"sqlite:///{tmp_path}/desk.db",
                [make.secret],
                evidence_directory=tmp_path / "evidence",
                refresh_s=0.2,
                timezone="Asia/Shanghai",
                **options,
            )
        )
        server = serve_in_thread(app, "127.0.0.1", 0)
        client = httpx.Client(base_url=server.url)
        running.append((server, client))
        return Served(server, sender_of(client), tmp_path / "evidence-access")

    (tmp_path / "evidence").mkdir()
    yield start
    for server, client in running:
        client.close()
        server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for this module."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@dataclass
class Tab:
    """An open page and what went wrong or outside in it."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, url: str) -> Any:
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(url)
        return self.page


@pytest.fixture
def tab(browser: Any) -> Iterator[Callable[..., Tab]]:
    """Open tabs."""
    contexts: list[Any] = []

    def new(**options: Any) -> Tab:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
        contexts.append(context)
        return Tab(context.new_page())

    yield new
    for context in contexts:
        context.close()


def keep(page: Any, name: str) -> None:
    folder = os.environ.get("STREET_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def until(page: Any, expression: str) -> None:
    """Wait for a condition; the browser's own waiting needs eval, which the page's policy forbids."""
    for _ in range(400):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never came true in the page: {expression}")


LOADED = "[...document.images].every(i => i.complete && i.naturalWidth > 0)"
CATEGORIES = [
    ("exposed_garbage", "Exposed garbage", "暴露垃圾", "06010"),
    ("street_stall", "Street vending", "占道经营", "09006"),
    ("bin_overflow", "Overflowing bin", "垃圾箱满溢", "06042"),
    ("illegal_ad", "Illegal advertising and graffiti", "小广告/乱涂写", "07001"),
    ("nonmotor_parking", "Badly parked bicycles", "非机动车乱停放", "09010"),
    ("road_damage", "Road damage", "道路破损", "06013"),
]


def fill(served: Served, make: Any, evidence: Path, cases: int = 11) -> None:
    """A lively morning."""
    for number in range(cases):
        category, english, chinese, code = CATEGORIES[number % len(CATEGORIES)]
        facts = {
            "problem": f"problem-{number}",
            "category": category,
            "category_names": {"en": english, "zh-CN": chinese},
            "codes": {"GB/T 47678.5-2026": code},
            "camera_id": f"renmin-road-{number % 4 + 1}",
            "score": 0.55 + 0.03 * (number % 14),
            "review": number % 5 == 3,
        }
        street(evidence / f"{DAY}/{number}.jpg", number, dirty=True)
        picture = {"url": f"{DAY}/{number}.jpg", "reason": None}
        if number % 5 == 4:
            picture = {"url": None, "reason": "the redactor could not run"}
        minute = 7 * number
        assert served.send(make.problem(revision=1, minute=minute, evidence=picture, **facts)).is_success
        if number % 3 == 1:
            street(evidence / f"{DAY}/{number}-after.jpg", number, dirty=False)
            clean = {"url": f"{DAY}/{number}-after.jpg", "reason": None}
            cleared = make.problem("cleared", revision=2, minute=minute + 47, evidence=clean, **facts)
            assert served.send(cleared).is_success
        if number == 4:
            assert served.send(make.problem("reopened", revision=3, minute=240, evidence=picture, **facts)).is_success
        if number == 6:
            assert served.send(make.problem("dismissed", revision=2, minute=90, **facts)).is_success
    for number in range(1, 5):
        assert served.send(make.camera(f"renmin-road-{number}", "ok", number)).is_success
    assert served.send(make.camera("renmin-road-3", "covered", 61, "the picture has no content")).is_success


def test_the_page_of_cases(serve: Any, tab: Any, make: Any, tmp_path: Path) -> None:
    served = serve(title="Renmin Road desk")
    fill(served, make, tmp_path / "evidence")
    opened = tab()
    page = opened.open(served.url)
    assert page.locator(".card").count() == 11
    page.locator(".card").last.scroll_into_view_if_needed()
    until(page, LOADED)
    page.evaluate("scrollTo(0, 0)")
    keep(page, "cases")
    assert opened.complaints == []
    assert all(address.startswith(served.url) for address in opened.requests)
    assert ("anonymous", f"{DAY}/0.jpg") in served.seen
    page.locator("select[name=category]").select_option("street_stall")
    page.wait_for_url("**/?*category=street_stall*")
    assert page.locator(".card").count() == 2
    assert page.locator("select[name=category]").input_value() == "street_stall"


def test_one_case_with_before_and_after(serve: Any, tab: Any, make: Any, tmp_path: Path) -> None:
    served = serve()
    fill(served, make, tmp_path / "evidence")
    opened = tab()
    page = opened.open(f"{served.url}/?status=cleared")
    page.locator(".card").first.click()
    page.wait_for_selector(".history li")
    until(page, LOADED)
    keep(page, "case")
    assert page.locator("figure img").count() == 2
    assert page.locator(".history li").count() == 2
    assert opened.complaints == []


def test_news_arrive_without_reload_or_jump(serve: Any, tab: Any, make: Any, tmp_path: Path) -> None:
    served = serve()
    fill(served, make, tmp_path / "evidence", cases=20)
    opened = tab()
    page = opened.open(served.url)
    page.evaluate("window.sameDocument = true")
    page.evaluate("window.kept = document.querySelector('.card.open img')")
    page.evaluate("scrollTo(0, 500)")
    asked = len(served.seen)
    first = page.locator("[data-key=open] b").inner_text()
    assert served.send(make.problem(problem="new", minute=999, camera_id="brand-new")).is_success
    page.wait_for_selector(".card:has-text('brand-new')")
    until(page, "scrollY >= 500")
    assert page.evaluate("window.sameDocument && window.kept.isConnected")
    assert page.locator("[data-key=open] b").inner_text() == str(int(first) + 1)
    assert page.locator("#camera-choices option[value='brand-new']").count() == 1
    assert served.send(
        make.problem("cleared", problem="new", revision=2, minute=1010, camera_id="brand-new")
    ).is_success
    page.wait_for_selector(".card.cleared:has-text('brand-new')")
    for _ in range(3):  # refreshes that change nothing fetch no picture again
        with page.expect_response(lambda answer: answer.url == f"{served.url}/"):
            pass
    assert len(set(served.seen[asked:])) == len(served.seen[asked:])
    assert opened.complaints == []


def test_the_page_says_when_the_desk_is_gone(serve: Any, tab: Any) -> None:
    served = serve()
    page = tab().open(served.url)
    page.wait_for_selector(".beat.alive")
    served.server.stop()
    page.wait_for_selector(".beat.lost")
    assert page.locator("#beat-text").inner_text().startswith("no answer")


def test_a_hostile_event_runs_nothing(serve: Any, tab: Any, make: Any) -> None:
    served = serve()
    page = tab().open(served.url)
    hostile = make.problem(
        category_names={"en": HOSTILE, "zh": HOSTILE}, camera_id=HOSTILE, label=HOSTILE, category=HOSTILE,
        evidence={"url": "javascript:window.pwned=1", "reason": HOSTILE},
    )  # fmt: skip
    assert served.send(hostile).is_success
    assert served.send(make.camera(HOSTILE, HOSTILE, reason=HOSTILE)).is_success
    page.wait_for_selector(".card")
    page.locator(".card").click()
    page.wait_for_selector(".history li")
    assert page.evaluate("window.pwned") is None
    assert HOSTILE in page.locator("h1").inner_text()


def test_a_browser_gives_the_token_as_password(serve: Any, tab: Any, make: Any, tmp_path: Path) -> None:
    served = serve(token="open-sesame")
    fill(served, make, tmp_path / "evidence", cases=1)
    page = tab(http_credentials={"username": "li", "password": "open-sesame"}).open(served.url)
    until(page, LOADED)
    assert ("li", f"{DAY}/0.jpg") in served.seen
    with pytest.raises(playwright.Error, match="INVALID_AUTH"):
        tab().open(served.url)


def test_it_fits_a_telephone_and_the_dark(serve: Any, tab: Any, make: Any, tmp_path: Path) -> None:
    served = serve()
    fill(served, make, tmp_path / "evidence", cases=4)
    phone = tab(viewport={"width": 390, "height": 800}, color_scheme="dark")
    page = phone.open(served.url)
    until(page, "document.images[1].complete && document.images[1].naturalWidth > 0")
    keep(page, "telephone")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".card").first.click()
    page.wait_for_selector(".history li")
    keep(page, "telephone-case")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_person_moves_a_case_in_the_browser(serve: Any, tab: Any, make: Any, tmp_path: Path) -> None:
    served = serve()
    fill(served, make, tmp_path / "evidence", cases=1)
    opened = tab()
    page = opened.open(served.url)
    page.locator(".card").click()
    page.wait_for_selector(".stages .here:has-text('File')")
    page.locator("button[value=dispatched]").click()
    page.wait_for_selector(".moves output:has-text('name the department')")
    page.locator("input[name=department]").fill("Sanitation 环卫所")
    page.locator(".moves input[name=note]").fill("by noon, please")
    page.locator("button[value=dispatched]").click()
    page.wait_for_selector(".stages .here:has-text('Dispatch')")
    page.wait_for_selector(".history .deed:has-text('by noon, please')")
    page.locator(".moves input[name=note]").fill("half written")
    with page.expect_response(lambda answer: answer.request.method == "GET"):
        pass
    assert page.locator(".moves input[name=note]").input_value() == "half written"  # a refresh takes nothing away
    page.locator("button[value=taken_up]").click()
    page.wait_for_selector(".stages .here:has-text('Handle')")
    keep(page, "moves")
    assert [text for text in opened.complaints if "422" not in text] == []


def test_a_person_splits_what_two_cameras_see(serve: Any, tab: Any, make: Any, sender_of: Any) -> None:
    served = serve()
    place = {"box": [10, 20, 110, 220], "frame_size": [1920, 1080], "ground": {"latitude": 34.26, "longitude": 108.94}}
    with httpx.Client(base_url=served.url) as client:
        send = sender_of(client)
        for number, camera in enumerate(("north", "south")):
            send(make.problem(problem=f"p-{camera}", minute=number, camera_id=camera, place=place))
    opened = tab()
    page = opened.open(served.url)
    assert page.locator(".card").count() == 1
    page.locator(".card").click()
    page.locator(".verdict summary").click()
    page.locator(".verdicts select[name=problem]").select_option("p-south")
    keep(page, "split")
    page.locator("button[value=split]").click()
    page.wait_for_selector(".history .deed:has-text('another case was taken out')")
    page.locator("dd a[href^='/cases/']").click()
    page.wait_for_selector(".history .deed:has-text('Split off')")
    assert "south" in page.locator(".facts").inner_text()
    assert opened.complaints == []


def test_dispatch_verdicts_and_streets_in_the_browser(serve: Any, tab: Any, make: Any, tmp_path: Path) -> None:
    """A desk with routes: what it sends, what it holds and why, a verdict, the figures, a street."""
    noon = make.start + timedelta(hours=11)
    streets = [
        Street("renmin-east", "人民东路", "莲湖区", "city", None, frozenset({"renmin-road-1", "renmin-road-2"})),
        Street("renmin-west", "人民西路", "莲湖区", "city", None, frozenset({"renmin-road-3", "renmin-road-4"})),
    ]
    routes = [Route("all-but-roads", "order", frozenset(key for key, *_ in CATEGORIES if key != "road_damage"))]
    plan = Plan(
        office=Office(ZoneInfo("Asia/Shanghai"), lambda _: True),
        deadline=Deadline(timedelta(hours=4), Clock.WORKING_HOURS),
        routing=routing_of([Department("order", "城管中队")], routes, streets),
        automatic=True,
        threshold=0.65,
        escalations=(Escalation(timedelta(0), "区督查科"),),
        names={key: {"en": english, "zh": chinese} for key, english, chinese, _ in CATEGORIES},
    )
    served = serve(plan=plan, clock=lambda: noon)
    fill(served, make, tmp_path / "evidence", cases=20)
    opened = tab()
    page = opened.open(served.url)
    assert page.locator(".card .held").count() > 0
    keep(page, "dispatching")
    page.goto(f"{served.url}/?status=open&stage=dispatch")
    page.locator(".card").last.click()
    page.wait_for_selector(".mark:has-text('sent without a person')")
    page.locator(".verdict summary").click()
    page.locator(".verdicts select[name=reason]").select_option("legal_advert")
    keep(page, "verdict")
    with page.expect_response(lambda answer: answer.request.method == "GET"):
        pass
    assert page.locator(".verdicts select[name=reason]").input_value() == "legal_advert"  # a refresh takes nothing away
    page.locator("button[value=reject]").click()
    page.wait_for_selector(".history .deed:has-text('legal advert')")
    page.wait_for_selector(".pill.dismissed")
    with httpx.Client(base_url=served.url) as client:
        for number, case in enumerate(client.get("/cases.json?limit=500").json()["cases"]):
            if case["automatic"] and number % 2:
                assert client.post(f"/cases/{case['id']}/verdicts", json={"decision": "confirm"}).is_success
    page.goto(f"{served.url}/figures")
    page.wait_for_selector(".figures .all")
    keep(page, "figures")
    page.goto(f"{served.url}/streets")
    keep(page, "streets")
    page.locator(".figures a").first.click()
    page.wait_for_selector(".bars .filled")
    keep(page, "street")
    assert page.locator(".spots li").count() > 0
    assert opened.complaints == []
    phone = tab(viewport={"width": 390, "height": 800}, color_scheme="dark")
    small = phone.open(f"{served.url}/figures")
    for path in ("/figures", "/streets", "/streets/renmin-east", "/"):
        small.goto(served.url + path)
        assert small.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    keep(small, "telephone-dispatching")
