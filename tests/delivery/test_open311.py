"""Open311 GeoReport v2 against a server that knows only the specification, and against its published examples."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from detector.config.endpoints import EndpointSettings
from detector.delivery.courier import Courier, Route
from detector.delivery.endpoint import endpoint_of
from detector.delivery.memory import ACCEPTED, ASKED, POSTING, ShortMemory
from detector.delivery.open311 import Open311
from detector.delivery.open311_form import refusal, rows_of
from detector.delivery.samples import samples
from detector.errors import StoreError
from detector.ports import Attempt
from detector.store import DeliveryState, OutboxEntry, open_store
from detector.store.receipts import Receipts
from tests.delivery.test_courier import eventually
from tests.servers.open311 import City, open311_city, take_in

EXAMPLES = Path(__file__).with_name("open311")
OPENED = samples()["problem.opened"]
EVENT_ID = str(json.loads(OPENED)["id"])


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


def settings_for(city: City, **changes: Any) -> EndpointSettings:
    options = {"api_key": city.api_key, "format": city.format, "service_codes": {"exposed_garbage": "001"}} | changes
    timeout = options.pop("timeout", "30 s")
    return EndpointSettings.model_validate(
        {"name": "city", "kind": "open311", "url": city.url, "timeout": timeout, "open311": options}
    )


@contextmanager
def sink_for(
    city: City, memory: ShortMemory | Receipts | None = None, clock: Clock | None = None, **changes: Any
) -> Iterator[Open311]:
    settings = settings_for(city, **changes)
    assert settings.open311 is not None
    sink = Open311(endpoint_of(settings), settings.open311, memory or ShortMemory(), clock or Clock())
    try:
        yield sink
    finally:
        sink.close()


def send(sink: Open311, event_type: str = "problem.opened") -> Attempt:
    body = samples()[event_type]
    return sink.send(json.loads(body)["id"], event_type, body)


def once(mishap: str) -> Any:
    mishaps = chain([mishap], repeat(None))
    return lambda: next(mishaps)


# --- the published examples ---------------------------------------------------------------------------------------


FORMATS = pytest.mark.parametrize("form", ["json", "xml"])


@FORMATS
def test_the_published_answers_are_understood(form: str) -> None:
    [made] = rows_of((EXAMPLES / f"post_request.{form}").read_bytes()) or []
    assert (made.service_request_id, made.token) == ("293944", None)
    [token] = rows_of((EXAMPLES / f"token.{form}").read_bytes()) or []
    assert (token.service_request_id, token.token) == ("638344", "12345")
    listed = rows_of((EXAMPLES / f"requests.{form}").read_bytes()) or []
    assert [row.service_request_id for row in listed] == ["638344", "638349"]
    assert refusal((EXAMPLES / f"errors.{form}").read_bytes()) == (
        "Invalid api_key received -- can't proceed with create_request."
    )


def test_every_published_example_is_there_in_both_formats() -> None:
    names = {"post_request", "token", "requests", "errors"}
    assert {path.stem for path in EXAMPLES.glob("*.json")} == {path.stem for path in EXAMPLES.glob("*.xml")} == names


def test_what_is_sent_has_the_shape_of_the_published_request() -> None:
    """The server of these tests takes the published request, and ours has no field that the published one has not."""
    published = {name: values[0] for name, values in parse_qs((EXAMPLES / "post_request.txt").read_text()).items()}
    with open311_city(api_key="xyz", jurisdictions=("city.gov",)) as city:
        assert take_in(city, published)[0]["service_request_id"]
        contact = dict.fromkeys(("email", "device_id", "account_id", "first_name", "last_name", "phone"), "x")
        changes: dict[str, Any] = {
            "jurisdiction_id": "city.gov",
            "attributes": {"WHISPAWN": "123456", "WHISDORN": "COISL001"},
        }
        with sink_for(city, contact=contact, **changes) as sink:
            assert send(sink).accepted
    assert set(city.posts[0]) == set(published) - {"address_string"}  # a position is enough, and better


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html/>",
        b"[]",
        b"null",
        b'"x"',
        b"[1]",
        b"\xff\xfe",
        b'[{"token": true}]',
        b"<service_requests/>",
        b"<service_requests><request><token/></request></service_requests>",
        b"<request><token>1</token></request>",
        b"<!DOCTYPE x [<!ENTITY y 'z'>]><errors><error><description>&y;</description></error></errors>",
        b"<errors>",
    ],
)
def test_other_answers_hold_no_ids(body: bytes) -> None:
    assert [row for row in rows_of(body) or [] if row.service_request_id or row.token] == []
    assert refusal(body) is None


# --- making a request ---------------------------------------------------------------------------------------------


def test_a_problem_becomes_one_service_request() -> None:
    with open311_city() as city, sink_for(city) as sink:
        attempt = send(sink)
        assert send(sink) == Attempt(True, receipt=attempt.receipt)  # the same event again: nothing is posted
    assert (attempt.accepted, attempt.status, attempt.receipt["service_request_id"]) == (True, 200, "293944")
    assert city.calls == ["POST /requests.json"]
    [form] = city.posts
    assert form == {
        "api_key": "key-of-the-city",
        "service_code": "001",
        "lat": "34.258410",
        "long": "108.928750",
        "media_url": f"https://evidence.example/2026/07/01/{EVENT_ID}.jpg",
        "description": form["description"],
    }
    assert form["description"].splitlines() == [
        "暴露垃圾 (garbage 0.87), problem.opened",
        "2026-07-01T08:30:00+00:00 - 2026-07-01T08:40:00+00:00",
        "东门二号 (east-gate-2)",
        "category:exposed_garbage",
        f"ref: {EVENT_ID}",
    ]


def test_without_a_position_the_name_of_the_camera_is_the_address_and_a_path_is_no_link() -> None:
    event = json.loads(OPENED)
    event["data"]["place"]["ground"] = None
    event["data"]["evidence"]["url"] = "2026/07/01/x.jpg"
    with open311_city() as city, sink_for(city) as sink:
        assert sink.send(EVENT_ID, "problem.opened", json.dumps(event).encode()).accepted
        event["data"]["camera"]["position"] = None
        assert sink.send("e2", "problem.opened", json.dumps(event).encode()).accepted
    assert (city.posts[0]["lat"], city.posts[0]["long"]) == ("34.258300", "108.928600")  # the camera's own
    assert "lat" not in city.posts[1]
    assert city.posts[1]["address_string"] == "莲湖区 东门二号"
    assert "media_url" not in city.posts[0]


def test_a_long_description_keeps_its_mark() -> None:
    event = json.loads(OPENED)
    event["data"]["camera"]["name"] = "名" * 5000
    with open311_city() as city, sink_for(city) as sink:
        assert sink.send(EVENT_ID, "problem.opened", json.dumps(event).encode()).accepted
    assert len(city.posts[0]["description"]) == 4000
    assert city.posts[0]["description"].endswith(f"\nref: {EVENT_ID}")


def test_jurisdiction_attributes_and_contact() -> None:
    with (
        open311_city(jurisdictions=("city.gov",)) as city,
        sink_for(
            city, jurisdiction_id="city.gov", attributes={"WHISHETN": "123"}, contact={"email": "detector@city.gov"}
        ) as sink,
    ):
        assert send(sink).accepted
    assert city.posts[0]["jurisdiction_id"] == "city.gov"
    assert city.posts[0]["attribute[WHISHETN]"] == "123"
    assert city.posts[0]["email"] == "detector@city.gov"


def test_what_open311_has_no_words_for_is_skipped_or_noted() -> None:
    with open311_city() as city, sink_for(city) as sink:
        for event_type in ("problem.updated", "problem.cleared", "problem.dismissed", "camera.health"):
            attempt = send(sink, event_type)
            assert attempt.accepted
            assert event_type in attempt.receipt["skipped"]
    assert city.calls == []
    memory = ShortMemory()
    wanted: dict[str, Any] = {"note_service_code": "900", "on": {"problem.cleared": "note"}}
    with open311_city() as city, sink_for(city, memory, **wanted) as sink:
        assert send(sink).accepted
        assert send(sink, "problem.cleared").accepted
        assert send(sink, "problem.reopened").accepted
    assert [form["service_code"] for form in city.posts] == ["001", "900", "001"]
    assert "service_request_id: 293944" in city.posts[1]["description"]
    assert "service_request_id: 293945" in city.posts[2]["description"]


# --- tokens -------------------------------------------------------------------------------------------------------


@FORMATS
def test_a_token_is_asked_until_it_is_a_request_also_by_another_process(tmp_path: Path, form: str) -> None:
    """Two processes, one after the other, with the store in between."""
    store = open_store(str(tmp_path / "street.db"))
    store.record(Clock()(), [], [OutboxEntry(EVENT_ID, "problem.opened", "p1", Clock()(), OPENED, ("city",))])
    with open311_city(kind="batch", format=form) as city:
        with sink_for(city, Receipts(store, "city")) as sink:
            first = send(sink)
        store.close()
        store = open_store(str(tmp_path / "street.db"))
        with sink_for(city, Receipts(store, "city")) as sink:
            second = send(sink)
            city.redeemed = True
            third, fourth = send(sink), send(sink)
    store.close()
    assert [one.accepted for one in (first, second, third, fourth)] == [False, False, True, True]
    assert (first.receipt, first.final) == ({"token": "12345"}, False)
    assert third.receipt["service_request_id"] == "293944"
    assert len(city.posts) == 1
    assert city.calls[1:] == [f"GET /tokens/12345.{form}"] * 3


@FORMATS
def test_a_token_that_the_server_does_not_know_is_no_reason_to_post_again(form: str) -> None:
    with open311_city(kind="batch", format=form) as city, sink_for(city) as sink:
        send(sink)
        city.tokens.clear()
        attempt = send(sink)
    assert (attempt.accepted, attempt.status, attempt.error) == (False, 404, "token: 404: token provided was not found")
    assert len(city.posts) == 1


def test_a_service_that_gives_neither_has_accepted() -> None:
    with open311_city(kind="blackbox") as city, sink_for(city) as sink:
        attempt = send(sink)
        assert send(sink).accepted
    assert attempt.accepted
    assert list(attempt.receipt) == [ACCEPTED]
    assert len(city.posts) == 1


def test_an_answer_that_cannot_be_read_is_an_answer() -> None:
    with open311_city(mishap=once("html")) as city, sink_for(city) as sink:
        assert send(sink).accepted
        assert send(sink).accepted
    assert len(city.posts) == 1


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("city_has", "status", "text"),
    [
        ({"services": ("777",)}, 404, "service_code provided was not found"),
        ({"jurisdictions": ("city.gov",)}, 400, "jurisdiction_id was not provided"),
    ],
)
def test_a_refusal_is_final_and_in_the_words_of_the_server(city_has: Any, status: int, text: str) -> None:
    with open311_city(**city_has) as city, sink_for(city) as sink:
        attempt = send(sink)
    assert attempt == Attempt(False, status, f"{status}: {text}", final=True)


def test_a_wrong_key_is_a_matter_of_configuration() -> None:
    with open311_city() as city, sink_for(city, api_key="wrong-key-4711") as sink:
        attempt = send(sink)
    assert (attempt.status, attempt.final, attempt.receipt) == (403, False, {})
    assert attempt.error == "403: Invalid api_key received -- can't proceed with create_request."


def test_a_category_without_a_code_is_final_and_says_what_to_do() -> None:
    with open311_city() as city, sink_for(city, service_codes={}) as sink:
        attempt = send(sink)
    assert attempt.final
    assert "add it under `open311.service_codes`" in (attempt.error or "")
    assert city.calls == []


def test_a_final_refusal_is_a_dead_letter_at_once(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "street.db"))
    with open311_city(services=()) as city, sink_for(city, Receipts(store, "city")) as sink:
        courier = Courier(store, [Route(endpoint_of(settings_for(city)), sink)], "w1")
        courier.start()
        now = datetime.now(UTC)
        store.record(now, [], [OutboxEntry(EVENT_ID, "problem.opened", "p1", now, OPENED, ("city",))])
        assert eventually(lambda: store.dead_letters())
        courier.stop()
    [dead] = store.dead_letters()
    assert (dead.attempts, dead.last_error) == (1, "404: service_code provided was not found")
    store.close()


# --- lost answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mishap", ["lost", "hang", "500", "502"])
def test_after_a_lost_answer_the_request_is_found_and_not_made_again(mishap: str) -> None:
    clock, memory = Clock(), ShortMemory()
    with open311_city(mishap=once(mishap)) as city:
        with sink_for(city, memory, clock, timeout="2 s") as impatient:
            lost = send(impatient)
        with sink_for(city, memory, clock) as sink:
            early = send(sink)
            clock.now += timedelta(seconds=90)
            found = send(sink)
    assert (lost.accepted, lost.final) == (False, False)
    assert "it may have been taken in" in (lost.error or "")
    assert early.blameless
    assert early.retry_after_s == 60.0
    assert (found.accepted, found.receipt["service_request_id"]) == (True, "293944")
    assert len(city.requests) == 1
    assert city.calls == ["POST /requests.json", "GET /requests.json"]


def test_a_request_that_is_not_found_is_made_again() -> None:
    clock = Clock()
    with open311_city(mishap=once("unheard")) as city, sink_for(city, clock=clock) as sink:
        lost = send(sink)
        clock.now += timedelta(seconds=90)
        again = send(sink)
    assert (lost.accepted, again.accepted, len(city.requests)) == (False, True, 1)
    assert city.calls == ["POST /requests.json", "GET /requests.json", "POST /requests.json"]


def test_the_request_of_another_event_is_not_taken_for_it() -> None:
    clock, memory = Clock(), ShortMemory()
    with open311_city(mishap=once("unheard")) as city, sink_for(city, memory, clock) as sink:
        send(sink)
        other = json.loads(OPENED) | {"id": "another"}
        assert sink.send("another", "problem.opened", json.dumps(other).encode()).accepted
        clock.now += timedelta(seconds=90)
        assert send(sink).receipt["service_request_id"] == "293945"
    assert len(city.requests) == 2


def test_a_list_that_may_have_been_cut_proves_nothing() -> None:
    clock = Clock()
    with open311_city(mishap=once("unheard")) as city, sink_for(city, clock=clock) as sink:
        send(sink)
        others = {"service_code": "001", "description": "", "requested_datetime": clock.now.isoformat()}
        city.requests += [others] * 1000
        clock.now += timedelta(seconds=90)
        asked = send(sink)
    assert (asked.accepted, asked.final, city.calls[-1]) == (False, True, "GET /requests.json")


@pytest.mark.parametrize("changes", [{"look_up": False}, {}])
def test_where_the_server_cannot_be_asked_a_person_is(changes: dict[str, Any]) -> None:
    clock = Clock()
    memory = ShortMemory()
    with open311_city(mishap=once("lost"), lists=False) as city, sink_for(city, memory, clock, **changes) as sink:
        send(sink)
        clock.now += timedelta(seconds=90)
        asked = send(sink)
        assert (asked.accepted, asked.final, len(city.posts)) == (False, True, 1)
        assert set(asked.receipt) == {POSTING, ASKED}
        memory.keep(EVENT_ID, asked.receipt)  # as the courier does; then a person redelivers
        assert send(sink).accepted
    assert len(city.posts) == 2


def test_or_it_is_sent_again_where_that_is_wanted() -> None:
    clock = Clock()
    with (
        open311_city(mishap=once("lost"), lists=False) as city,
        sink_for(city, clock=clock, when_unsure="again") as sink,
    ):
        send(sink)
        clock.now += timedelta(seconds=90)
        assert send(sink).accepted
    assert len(city.posts) == 2


@pytest.mark.parametrize("refusal", ["503", None])
def test_what_surely_did_not_arrive_leaves_no_doubt(refusal: str | None) -> None:
    memory = ShortMemory()
    with open311_city(mishap=once("503")) as city:
        pass
    with sink_for(city, memory) as sink:  # nobody there
        attempt = send(sink)
    assert (attempt.accepted, attempt.status, memory.get(EVENT_ID)) == (False, None, {})
    with open311_city(mishap=once("503")) as city, sink_for(city, memory) as sink:
        assert send(sink).status == 503
        assert memory.get(EVENT_ID) == {}
        assert send(sink).accepted
    assert len(city.requests) == 1


def test_a_crash_between_sending_and_writing_down_is_a_lost_answer(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "street.db"))
    now = datetime.now(UTC)
    store.record(now, [], [OutboxEntry(EVENT_ID, "problem.opened", "p1", now, OPENED, ("city",))])

    class Dying(Receipts):
        def keep(self, event_id: str, receipt: Any) -> None:
            if ACCEPTED in receipt:
                raise KeyboardInterrupt
            super().keep(event_id, receipt)

    clock = Clock()
    with open311_city() as city:
        with sink_for(city, Dying(store, "city")) as sink, pytest.raises(KeyboardInterrupt):
            send(sink)
        clock.now += timedelta(seconds=90)
        with sink_for(city, Receipts(store, "city"), clock) as sink:
            assert send(sink).receipt["service_request_id"] == "293944"
    assert len(city.posts) == 1
    store.close()


KILLED = """
import sys
from detector.config.endpoints import EndpointSettings
from detector.delivery.endpoint import endpoint_of
from detector.delivery.open311 import Open311
from detector.delivery.samples import samples
from detector.store import open_store
from detector.store.receipts import Receipts
url, database, event_id = sys.argv[1:]
options = {"api_key": "key-of-the-city", "service_codes": {"exposed_garbage": "001"}}
settings = EndpointSettings.model_validate({"name": "city", "kind": "open311", "url": url, "open311": options})
sink = Open311(endpoint_of(settings), settings.open311, Receipts(open_store(database), "city"))
sink.send(event_id, "problem.opened", samples()["problem.opened"])
"""


def test_a_process_that_is_killed_while_it_waits_for_the_answer(tmp_path: Path) -> None:
    database = str(tmp_path / "street.db")
    store = open_store(database)
    now = datetime.now(UTC)
    store.record(now, [], [OutboxEntry(EVENT_ID, "problem.opened", "p1", now, OPENED, ("city",))])
    with open311_city(mishap=once("hang")) as city:
        process = subprocess.Popen([sys.executable, "-c", KILLED, city.url, database, EVENT_ID])
        try:
            assert eventually(lambda: city.requests)
        finally:
            process.kill()
            process.wait()
        clock = Clock()
        clock.now += timedelta(seconds=90)
        with sink_for(city, Receipts(store, "city"), clock) as sink:
            assert send(sink).receipt["service_request_id"] == "293944"
    assert len(city.posts) == 1
    store.close()


MISHAPS = st.sampled_from([None, "unheard", "lost", "500", "502", "503", "html"])


@settings_of_hypothesis(max_examples=60, deadline=None)
@given(
    mishaps=st.lists(MISHAPS, max_size=6),
    kind=st.sampled_from(["realtime", "batch", "blackbox"]),
    form=st.sampled_from(["json", "xml"]),
)
def test_whatever_goes_wrong_there_is_one_request_in_the_end(mishaps: list[str | None], kind: str, form: str) -> None:
    """Nothing is lost and nothing made twice, as long as the server lists what it has."""
    clock = Clock()
    course = chain(mishaps, repeat(None))
    with (
        open311_city(kind=kind, format=form, redeemed=True, mishap=lambda: next(course)) as city,
        sink_for(city, clock=clock) as sink,
    ):
        for _ in range(20):
            attempt = send(sink)
            if attempt.accepted:
                break
            assert not attempt.final
            clock.now += timedelta(seconds=90)
        assert attempt.accepted
        assert send(sink).accepted
        assert len(city.requests) == 1


def test_nothing_is_sent_that_cannot_be_remembered() -> None:
    class Full(ShortMemory):
        def keep(self, event_id: str, receipt: Any) -> None:
            raise StoreError("disk full")

    with open311_city() as city, sink_for(city, Full()) as sink:
        attempt = send(sink)
    assert (attempt.accepted, attempt.blameless, city.calls) == (False, True, [])


def test_what_was_accepted_stays_so_over_a_redelivery(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "street.db"))
    with open311_city() as city, sink_for(city, Receipts(store, "city")) as sink:
        courier = Courier(store, [Route(endpoint_of(settings_for(city)), sink)], "w1")
        courier.start()
        now = datetime.now(UTC)
        store.record(now, [], [OutboxEntry(EVENT_ID, "problem.opened", "p1", now, OPENED, ("city",))])
        assert eventually(lambda: store.deliveries(DeliveryState.DELIVERED))
        assert store.redeliver(now, [EVENT_ID], include_delivered=True) == 1
        assert eventually(lambda: store.deliveries(DeliveryState.DELIVERED))
        courier.stop()
    [delivered] = store.deliveries()
    assert (delivered.receipt or {})["service_request_id"] == "293944"
    assert len(city.posts) == 1
    store.close()


def test_the_preview_hides_the_key() -> None:
    with open311_city() as city, sink_for(city) as sink:
        shown = sink.preview(EVENT_ID, "problem.opened", OPENED)
        assert sink.preview("x", "problem.cleared", samples()["problem.cleared"]).note == "problem.cleared is not sent"
    assert shown.line.endswith("/open311/v2/requests.json")
    assert "service_code = 001" in shown.body
    assert "key-of-the-city" not in shown.body
    assert city.calls == []
