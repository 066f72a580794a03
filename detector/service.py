"""A whole installation in one process: worker, courier, health and metrics, chores; started, reloaded, stopped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from detector.api.app import create_api
from detector.api.metrics import Metrics
from detector.api.server import ServerHandle, serve_in_thread
from detector.api.state import ApiState
from detector.assembly import (
    Lenses,
    Memories,
    Outlets,
    Places,
    cameras_of,
    categories_of,
    default_worker_id,
    desk_link_of,
    facts_of,
    gauges_of,
    judged_with,
    judging_by,
    keep_events_for,
    logos_of,
    new_id,
    open_model,
    prepared_by,
    refuse_without_cameras,
    tell_what_waits,
    utc_now,
    words_of,
)
from detector.config import Settings, load_categories, load_rules, load_settings
from detector.core.camera import Camera
from detector.delivery.courier import Courier
from detector.errors import DetectorError
from detector.evidence.archive import Archive
from detector.evidence.looks import LookRecorder
from detector.evidence.redact import Redactor
from detector.inference.swap import BundleWatch
from detector.store import open_store
from detector.worker.chores import Chore, Chores
from detector.worker.cores import share_cores
from detector.worker.deciding import Decider
from detector.worker.gate import OpenGate
from detector.worker.herald import Herald
from detector.worker.keeping import LookKeeper
from detector.worker.late import LateCases
from detector.worker.loop import Loop
from detector.worker.mailbox import Mailbox
from detector.worker.patrol import Patrol
from detector.worker.reader import Judgement, StreamReader
from detector.worker.roster import Roster
from detector.worker.worker import Worker

log = logging.getLogger(__name__)

DAY_S, HOUR_S = 86_400.0, 3_600.0
FEED = "desk"
"""Name under which the store remembers how far the desk's verdicts have been read."""

MODEL_WATCH_S = 5.0


class Service:
    """Everything `detector run` starts. Nothing is opened before `start`, except the model and the database."""

    def __init__(self, settings: Settings, *, worker_id: str | None = None) -> None:
        """Raises ConfigError, BundleError, EvidenceError or StoreError when a part of it cannot be had."""
        refuse_without_cameras(settings)
        self.settings = settings
        self.worker_id = worker_id or default_worker_id()
        self._cameras: Mapping[str, Camera] = cameras_of(settings)
        self._book = load_rules(settings)
        self._lenses = Lenses(settings)
        self.model = open_model(settings)
        self._bundle = BundleWatch(settings.model.path)
        self.store = open_store(settings.database)
        self._lenses.memories = self._memories = Memories(self.store, utc_now)
        self.metrics = Metrics()
        self._redact = Redactor().redact
        self._outlets = Outlets(settings, self.store, self._redact)
        self.courier = Courier(self.store, self._outlets.routes, self.worker_id)
        self.worker = self._worker()
        self._chores = Chores(
            [
                Chore("retention", DAY_S, self._forget_the_old),
                Chore("model", MODEL_WATCH_S, self._take_up_a_new_model),
                Chore("memories", HOUR_S, self._memories.write),
                Chore("desk", settings.desk.every.total_seconds(), self._ask_the_desk),
            ]
        )
        self._desk = desk_link_of(settings)
        self._late = LateCases(
            *(self.store, self._outlets.subscribers, words_of(settings.site)),
            *(lambda: self.worker.loop.decider.judging.categories, lambda: self._cameras, utc_now),
        )
        self._server: ServerHandle | None = None
        self._changing = threading.RLock()  # settings and model are changed by two threads, and judged with together

    @property
    def url(self) -> str | None:
        """Where health and metrics are served; None before `start`."""
        return None if self._server is None else self._server.url

    def start(self) -> None:
        """Begin to look, to deliver and to answer."""
        share_cores()
        api = self.settings.api
        self._server = serve_in_thread(create_api(self._state()), api.host, api.port)
        self.courier.start()
        self.worker.start(self._cameras)
        self._chores.start()
        log.info("watching %d cameras with %s; API at %s", len(self._cameras), self.model.model_version, self.url)

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Stop looking, judge and store what was seen, send what is due; False when not all seen could be stored.

        All of it ends within `timeout_s`; what is not sent by then stays in the outbox.
        """
        deadline = time.monotonic() + timeout_s

        def share(part: float) -> float:
            return max(0.1, min(part * timeout_s, deadline - time.monotonic()))

        self._chores.stop(0)
        drained = self.worker.stop(share(0.55))
        self._memories.close()
        self.courier.stop(share(0.25))
        if self._desk is not None:
            self._desk.close()
        if self._server is not None:
            try:
                self._server.stop(share(0.05))
            except DetectorError as error:
                log.warning("%s", error)
        self._chores.stop(share(0.1))
        self.store.close()
        return drained

    def finished(self) -> bool:
        """Whether all cameras were files and have been read to their end."""
        return self.worker.finished()

    def reload(self, path: Path) -> bool:
        """Read the settings again and take all of them, but for what needs a restart, which is told.

        A file that is not valid, names something that is not, or a model that is not fit, changes nothing at all;
        returns whether it was taken.
        """
        with self._changing:
            return self._reloaded(path)

    def _reloaded(self, path: Path) -> bool:
        try:
            fresh = load_settings(path)
            refuse_without_cameras(fresh)
            cameras, categories, book = cameras_of(fresh), load_categories(fresh.categories), load_rules(fresh)
            logos = logos_of(fresh)
            outlets = self._outlets.prepare(fresh)
        except DetectorError as error:
            log.error("the settings are not valid, the old ones stay in force: %s", error)
            return False
        if fresh.model.path != self.settings.model.path and not self._load_model(fresh.model.path):
            outlets.discard()
            log.error("the settings name a model that is not fit, the old ones stay in force")
            return False
        self._bundle.replaced(fresh.model.path)  # known from now on
        before, gone = self.settings, self._cameras.keys() - cameras.keys()
        self.settings, self._cameras, self._book = fresh, cameras, book
        self._lenses.change(fresh, logos)
        self._outlets.take(outlets)
        self.courier.change(self._outlets.routes)
        decider = self.worker.loop.decider
        decider.judging = judging_by(judged_with(categories, self.model), book, cameras)
        if fresh.looks != before.looks:
            decider.keeper = self._keeper()
        self.worker.loop.places = Places(cameras)
        self._gate.change(fresh.patrol.opens_per_second)
        self.worker.patrol.change(fresh.patrol.concurrent, fresh.patrol.jitter, fresh.patrol.by_risk)
        self.worker.change(cameras)
        for camera_id in gone:
            self.metrics.forget(camera_id)
            self._memories.forget(camera_id)
        tell_what_waits(before, fresh)
        log.info(
            "settings reloaded: %d cameras, %d zones, %d permits, %d endpoints",
            *(len(cameras), len(book.zones), len(book.permits), len(fresh.endpoints)),
        )
        return True

    # --- parts ---------------------------------------------------------------------------------------------------

    def _worker(self) -> Worker:
        settings = self.settings
        mailbox = Mailbox(self.metrics.dropped)
        self._gate = gate = OpenGate(settings.patrol.opens_per_second)
        prepare = prepared_by(self.model)
        patrol = Patrol(
            *(self._lenses.visit, mailbox, gate, utc_now),
            concurrent=settings.patrol.concurrent,
            jitter=settings.patrol.jitter,
            by_risk=settings.patrol.by_risk,
            prepare=prepare,
        )

        def reader(camera: Camera, condition: Judgement) -> StreamReader:
            return StreamReader(*(camera, self._lenses.open, condition, mailbox, gate, utc_now), prepare=prepare)

        roster = Roster(reader, self._lenses.condition, patrol)
        herald = Herald(
            self._outlets.subscribers,
            self._outlets.picture,
            words_of(settings.site),
            lambda: self.worker.loop.decider.judging.categories,
            lambda: self._cameras,
        )
        decider = Decider(
            *(self.store, herald),
            judging_by(categories_of(settings, self.model), self._book, self._cameras),
            *(utc_now, new_id),
            worker_id=self.worker_id,
            silence=settings.desk.silence,
            keeper=self._keeper(),
            on_risk=patrol.heed,
        )
        loop = Loop(
            *(mailbox, lambda: self.model.current, decider, self.metrics, utc_now),
            places=Places(self._cameras),
            batch_size=settings.model.batch_size,
            max_wait_s=settings.model.max_wait_ms / 1000,
        )
        self.metrics.watch(gauges_of(self.store, lambda: self._outlets.names, patrol.coverage, roster.open_streams))
        return Worker(self.worker_id, self.store, mailbox, patrol, roster, loop, utc_now)

    def _keeper(self) -> LookKeeper | None:
        looks = self.settings.looks
        if looks.directory is None:
            return None
        return LookKeeper(LookRecorder(Archive(looks.directory), self._redact), looks.every)

    def _state(self) -> ApiState:
        return ApiState(
            *(self.store, self.metrics),
            {
                "loop": lambda: None if self.worker.loop.alive else "does not run",
                "courier": lambda: None if self.courier.alive else "does not run",
            },
            patrol=self.worker.patrol,
            facts=lambda: facts_of(self.settings, self.worker_id, self.model.model_version, self._cameras),
        )

    # --- chores --------------------------------------------------------------------------------------------------

    def _ask_the_desk(self) -> None:
        """Take over what people decided since the last time, and look at once where a case waits for it."""
        if self._desk is None:
            return
        more = True
        while more:
            page = self._desk.verdicts(self.store.feed_cursor(FEED))
            self.store.add_verdicts(utc_now(), page.verdicts, read=(FEED, page.next))
            more = page.more
        checks = self._desk.checks()
        asked, now = self.worker.loop.decider.asked, utc_now()
        self.worker.loop.decider.asked = {check.problem_id: asked.get(check.problem_id, now) for check in checks}
        for camera_id in {check.camera_id for check in checks}:
            self.worker.roster.hasten(camera_id)
        if self._late.wanted:
            self._late.tell(self._desk.late())

    def _forget_the_old(self) -> None:
        evidence = self.settings.evidence
        purge = self._outlets.archive.purge(utc_now(), evidence.keep_days_by_category, evidence.keep_days)
        looks = self.settings.looks
        if looks.directory is not None:
            Archive(looks.directory).purge(utc_now(), {}, looks.keep_days)
        events = self.store.prune(utc_now() - keep_events_for(self.settings))
        log.info("retention: %d pictures and %d settled events deleted", purge.deleted, events)

    def _take_up_a_new_model(self) -> None:
        with self._changing:
            if self._bundle.replaced(self.settings.model.path):
                self._load_model(self.settings.model.path)

    def _load_model(self, path: Path) -> bool:
        swap = self.model.load(path)
        if not swap.accepted:
            log.error("the new model is not fit, %s stays in force: %s", swap.model_version, swap.reason)
            return False
        decider = self.worker.loop.decider
        decider.judging = replace(decider.judging, categories=categories_of(self.settings, self.model))
        log.info("looking with %s now", swap.model_version)
        return True
