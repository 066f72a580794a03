"""What `detector check` tells about endpoints."""

from __future__ import annotations

from collections.abc import Iterator

from detector.config.categories import CategoriesFile
from detector.config.finding import Finding, did_you_mean, written_key
from detector.config.mapping import examine_mapping
from detector.config.marked_yaml import Document, KeyPath
from detector.config.settings import Settings
from detector.config.sinks import MqttSettings
from detector.config.values import scheme_of

LOOPBACK = ("127.", "localhost", "[::1]")
_ENCRYPTED = {"http": "https", "mqtt": "mqtts"}


def check_endpoints(settings: Settings, document: Document) -> Iterator[Finding]:
    """Endpoints that nobody has, that anybody can listen to, and what is wrong in the files that they name."""
    if not settings.endpoints:
        yield _warned(document, ("endpoints",), "no endpoint: problems are stored, but nobody is told")
    for index, endpoint in enumerate(settings.endpoints):
        address = endpoint.url.get_secret_value()
        host = address.partition("://")[2].rpartition("@")[2]
        better = _ENCRYPTED.get(scheme_of(address) or "")
        if better and not host.startswith(LOOPBACK):
            message = "is not encrypted: anybody on the way can read the events"
            yield _warned(document, ("endpoints", index, "url"), message, f"use {better}")
        topic = MqttSettings() if endpoint.mqtt is None else endpoint.mqtt
        told = endpoint.kind == "mqtt" and topic.retain_health and endpoint.wants("camera.health")
        if told and not ("{subject}" in topic.topic or "{camera_id}" in topic.topic):
            message = "all cameras share this topic: only the newest health of one of them is retained"
            here: KeyPath = ("endpoints", index, "mqtt", "topic")
            yield _warned(document, here, message, "put {subject} or {camera_id} into it")
        if endpoint.mapped is not None:
            yield from examine_mapping(endpoint.mapped.file).findings


def check_service_codes(settings: Settings, document: Document, file: CategoriesFile) -> Iterator[Finding]:
    """Categories of which an Open311 server could not be told."""
    for index, endpoint in enumerate(settings.endpoints):
        if endpoint.open311 is None:
            continue
        here: KeyPath = ("endpoints", index, "open311", "service_codes")
        for category in endpoint.open311.service_codes:
            if category not in file.categories:
                yield _warned(document, (*here, category), "is no category", did_you_mean(category, file.categories))
        enabled = {name for name, category in file.categories.items() if category.enabled}
        without = sorted(enabled - set(endpoint.open311.service_codes))
        if without and endpoint.open311.default_service_code is None:
            message = f"no service code for {', '.join(without)}: their events will be dead letters"
            yield _warned(document, here, message, "add them, or a `default_service_code`")


def _warned(document: Document, path: KeyPath, message: str, suggestion: str | None = None) -> Finding:
    mark = document.mark(path)
    return Finding(mark.file, mark.line, written_key(path), message, suggestion, "warning")
