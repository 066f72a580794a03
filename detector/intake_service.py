"""The door for photos in a process of its own, with all that it needs; started and stopped in order.

A process of its own, since what strangers send must not slow the cameras down or take them along when it fails. It
writes to the same database and delivers what it opened itself, so it also works where nothing else runs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from detector.api.server import ServerHandle, serve_in_thread
from detector.assembly import (
    Outlets,
    RulesOfLook,
    categories_of,
    default_worker_id,
    keep_events_for,
    open_model,
    utc_now,
)
from detector.config import Settings, load_rules
from detector.core.camera import Camera
from detector.core.category import Category
from detector.core.event import Event
from detector.core.frame import Frame
from detector.core.judging import Decide
from detector.core.look import Look
from detector.delivery.cloudevent import cloud_event
from detector.delivery.courier import Courier
from detector.errors import ConfigError
from detector.evidence.redact import Redactor
from detector.inference.swap import BundleWatch
from detector.intake.app import IntakeOptions, create_intake
from detector.intake.judging import Intake, IntakeRules, Report
from detector.store import OutboxEntry, open_store
from detector.worker.chores import Chore, Chores
from detector.worker.herald import Evidence, Herald

log = logging.getLogger(__name__)

DAY_S = 86_400.0
MODEL_WATCH_S = 5.0
NAME = "随手拍"
"""How the camera that is none is called in events and below pictures."""


class IntakeService:
    """Everything `detector intake` starts. Nothing is opened before `start`, except the model and the database."""

    def __init__(self, settings: Settings, *, worker_id: str | None = None) -> None:
        """Raises ConfigError without a token; ConfigError, BundleError, EvidenceError or StoreError for the rest."""
        tokens = [token.get_secret_value() for token in settings.intake.tokens]
        if not tokens or not all(tokens):
            raise ConfigError("photos are taken from those who have a token only: set `intake.tokens` in the settings")
        self.settings = settings
        self._book = load_rules(settings)
        self.model = open_model(settings)
        self._categories = categories_of(settings, self.model)
        self.store = open_store(settings.database)
        self._outlets = Outlets(settings, self.store, Redactor().redact)
        self.courier = Courier(self.store, self._outlets.routes, f"{worker_id or default_worker_id()}-intake")
        self._bundle = BundleWatch(settings.model.path)
        self._chores = Chores(
            [
                Chore("retention", DAY_S, self._forget_the_old),
                Chore("model", MODEL_WATCH_S, self._take_up_a_new_model),
            ]
        )
        door = settings.intake
        rules = IntakeRules(int(door.max_megapixels * 1e6), door.same_within_m, door.remember, door.oldest)
        intake = Intake(
            lambda: self.model.current,
            self.store,
            lambda: self._categories,
            self._decide,
            self._tell,
            rules,
            utc_now,
        )
        options = IntakeOptions(
            tokens, settings.timezone, door.photos_per_minute, int(door.max_megabytes * 1e6), door.at_once
        )
        self.app = create_intake(intake, options, time.monotonic)
        self._server: ServerHandle | None = None

    @property
    def url(self) -> str | None:
        """Where photos are taken; None before `start`."""
        return None if self._server is None else self._server.url

    def start(self) -> None:
        """Begin to deliver and to answer."""
        door = self.settings.intake
        self.courier.start()
        self._chores.start()
        self._server = serve_in_thread(self.app, door.host, door.port, name="intake")
        log.info("taking photos with %s at %s", self.model.model_version, self.url)

    def stop(self, timeout_s: float = 10.0) -> None:
        """Take no more photos, finish those under way, send what is due."""
        if self._server is not None:
            self._server.stop(timeout_s * 0.5)
        self.courier.stop(timeout_s * 0.3)
        self._chores.stop()
        self.store.close()

    def _decide(self, look: Look) -> Decide:
        """Zones of the map, permits and rules, on the clock of the city."""
        return RulesOfLook(self._book, {look.camera_id: ZoneInfo(self.settings.timezone)})(look)

    def _tell(self, events: Sequence[Event], look: Look, frame: Frame, report: Report) -> list[OutboxEntry]:
        """As the worker tells, with the reporter's phone as the camera; a person must look before anybody is sent."""
        camera = Camera(look.camera_id, "", NAME, timezone=self.settings.timezone, position=report.position)
        categories: Mapping[str, Category] = {
            name: replace(category, review=True) for name, category in self._categories.items()
        }

        def words(event: Event, evidence: Evidence, seen_by: Camera | None, category: Category | None) -> bytes:
            return cloud_event(
                event,
                source=self.settings.site,
                category=category,
                camera=seen_by,
                evidence_url=evidence.url,
                evidence_reason=evidence.reason,
                note=report.note or None,
            )

        herald = Herald(
            self._outlets.subscribers,
            self._outlets.picture,
            words,
            lambda: categories,
            lambda: {camera.id: camera},
        )
        return herald.tell(events, look, frame)

    def _take_up_a_new_model(self) -> None:
        path = self.settings.model.path
        if not self._bundle.replaced(path):
            return
        swap = self.model.load(path)
        if not swap.accepted:
            log.error("the new model is not fit, %s stays in force: %s", swap.model_version, swap.reason)
            return
        self._categories = categories_of(self.settings, self.model)
        log.info("judging photos with %s now", swap.model_version)

    def _forget_the_old(self) -> None:
        evidence = self.settings.evidence
        purge = self._outlets.archive.purge(utc_now(), evidence.keep_days_by_category, evidence.keep_days)
        events = self.store.prune(utc_now() - keep_events_for(self.settings))
        log.info("retention: %d pictures and %d settled events deleted", purge.deleted, events)
