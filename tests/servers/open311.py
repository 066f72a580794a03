"""A small Open311 GeoReport v2 server, written from the published specification and knowing nothing of the product.

It answers as the examples on wiki.open311.org/GeoReport_v2 do, and fails as it is told.
"""

from __future__ import annotations

import json
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.http import RoughHandler, serving

Mishap = str
"""What goes wrong with a POST: `unheard` (cut before it is read), `lost` (taken in, then cut), `hang` (taken in, then
silence), `500`, `502` (taken in, answered so), `503` (answered so), `html` (taken in, answered with a page)."""


@dataclass
class City:
    """The server's state."""

    url: str = ""
    format: str = "json"
    kind: str = "realtime"  # or batch (a token first) or blackbox (neither)
    lists: bool = True  # GET /requests.json is there
    api_key: str | None = "key-of-the-city"
    jurisdictions: tuple[str, ...] = ()
    services: tuple[str, ...] = ("001", "002", "900")
    mishap: Callable[[], Mishap | None] = lambda: None
    numeric_ids: bool = True
    requests: list[dict[str, Any]] = field(default_factory=list)  # made, in order
    posts: list[dict[str, str]] = field(default_factory=list)  # every form that arrived
    calls: list[str] = field(default_factory=list)  # method and path, without queries
    tokens: dict[str, int] = field(default_factory=dict)  # token to the request it stands for
    redeemed: bool = False  # tokens have become requests
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Refused(Exception):
    def __init__(self, status: int, *texts: str) -> None:
        self.status, self.texts = status, texts


@contextmanager
def open311_city(**settings: Any) -> Iterator[City]:
    """Serve until the block ends."""
    city = City(**settings)
    with serving(_handler(city), city.closing) as address:
        city.url = f"{address}/open311/v2"
        yield city


def take_in(city: City, form: dict[str, str]) -> list[dict[str, Any]]:
    """POST Service Request: checks as the specification lists them, then a row of the answer."""
    if city.api_key is not None and form.get("api_key") != city.api_key:
        raise Refused(403, "Invalid api_key received -- can't proceed with create_request.")
    if city.jurisdictions and not form.get("jurisdiction_id"):
        raise Refused(400, "jurisdiction_id was not provided")
    if city.jurisdictions and form["jurisdiction_id"] not in city.jurisdictions:
        raise Refused(404, "jurisdiction_id provided was not found")
    if not form.get("service_code"):
        raise Refused(400, "service_code was not provided")
    if form["service_code"] not in city.services:
        raise Refused(404, "service_code provided was not found")
    placed = ("lat" in form and "long" in form) or form.get("address_string") or form.get("address_id")
    if not placed:
        raise Refused(400, "lat/long or address_string or address_id must be provided")
    if len(form.get("description", "")) > 4000:
        raise Refused(400, "description is longer than 4,000 characters")
    with city.lock:
        number = 293944 + len(city.requests)
        row = {
            "service_request_id": number if city.numeric_ids else str(number),
            "status": "open",
            "service_code": form["service_code"],
            "description": form.get("description"),
            "requested_datetime": datetime.now(UTC).isoformat(timespec="seconds"),
            "address": form.get("address_string"),
            "lat": float(form["lat"]) if "lat" in form else None,
            "long": float(form["long"]) if "long" in form else None,
            "media_url": form.get("media_url"),
        }
        city.requests.append(row)
        if city.kind == "batch":
            token = f"{len(city.tokens) + 12345}"
            city.tokens[token] = number
            return [{"token": token, "service_notice": None, "account_id": None}]
    if city.kind == "blackbox":
        return [{"service_notice": "Thank you.", "account_id": None}]
    return [{"service_request_id": row["service_request_id"], "service_notice": None, "account_id": None}]


def listed(city: City, query: dict[str, str]) -> list[dict[str, Any]]:
    """GET Service Requests, with the filters of the specification."""
    if not city.lists:
        raise Refused(404, "not found")
    with city.lock:
        rows = list(city.requests)
    if "service_code" in query:
        rows = [row for row in rows if row["service_code"] in query["service_code"].split(",")]
    for name, keep in (("start_date", lambda a, b: a >= b), ("end_date", lambda a, b: a <= b)):
        if name in query:
            bound = datetime.fromisoformat(query[name])
            rows = [row for row in rows if keep(datetime.fromisoformat(row["requested_datetime"]), bound)]
    return rows[:1000]


def redeem(city: City, token: str) -> list[dict[str, Any]]:
    """GET service_request_id from a token."""
    with city.lock:
        if token not in city.tokens:
            raise Refused(404, "token provided was not found")
        request = city.tokens[token] if city.redeemed else None
    return [{"service_request_id": request, "token": token}]


def as_xml(rows: list[dict[str, Any]]) -> bytes:
    """The same answer in XML: what is null becomes an empty element."""
    errors = bool(rows) and "code" in rows[0]
    root = ET.Element("errors" if errors else "service_requests")
    for row in rows:
        element = ET.SubElement(root, "error" if errors else "request")
        for name, value in row.items():
            ET.SubElement(element, name).text = None if value is None else str(value)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _handler(city: City) -> type[RoughHandler]:
    class Handler(RoughHandler, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._note()
            mishap = city.mishap()
            if mishap == "unheard":
                return self.cut()
            body = self.body().decode()
            form = {name: values[0] for name, values in parse_qs(body, strict_parsing=True).items()}
            with city.lock:
                city.posts.append(form)
            if self.headers["content-type"].partition(";")[0] != "application/x-www-form-urlencoded":
                return self._answer(400, [{"code": 400, "description": "not a form"}])
            if mishap == "503":
                return self._answer(503, [{"code": 503, "description": "come back later"}])
            try:
                rows = take_in(city, form)
            except Refused as refused:
                return self._refuse(refused)
            match mishap:
                case "lost":
                    self.cut()
                case "hang":
                    city.closing.wait(60)
                    self.cut()
                case "500" | "502":
                    self._answer(int(mishap), [{"code": int(mishap), "description": "something broke"}])
                case "html":
                    self._send(200, b"<html>Thank you</html>", "text/html")
                case _:
                    self._answer(200, rows)
            return None

        def do_GET(self) -> None:
            self._note()
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            path = address.path.removeprefix("/open311/v2")
            try:
                resource, _, form = path.rpartition(".")
                if form != city.format:
                    raise Refused(404, "no such format")
                if resource == "/requests":
                    self._answer(200, listed(city, query))
                elif resource.startswith("/tokens/"):
                    self._answer(200, redeem(city, resource.removeprefix("/tokens/")))
                else:
                    raise Refused(404, "no such resource")
            except Refused as refused:
                self._refuse(refused)

        def _note(self) -> None:
            with city.lock:
                city.calls.append(f"{self.command} {urlsplit(self.path).path.removeprefix('/open311/v2')}")

        def _refuse(self, refused: Refused) -> None:
            self._answer(refused.status, [{"code": refused.status, "description": text} for text in refused.texts])

        def _answer(self, status: int, rows: list[dict[str, Any]]) -> None:
            if city.format == "xml":
                self._send(status, as_xml(rows), "text/xml; charset=utf-8")
            else:
                self._send(status, json.dumps(rows).encode(), "application/json; charset=utf-8")

        def _send(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
