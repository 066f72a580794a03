"""Who is told, and where pictures go: made from the settings, and made anew from others while events flow."""

from __future__ import annotations

from dataclasses import dataclass

from detector.assembly.telling import picture_by
from detector.config import Settings
from detector.config.endpoints import EndpointSettings
from detector.config.mapping import MappingFile, load_mapping
from detector.config.settings import EvidenceSettings
from detector.core.camera import Camera
from detector.core.category import Category
from detector.core.event import ProblemEvent
from detector.core.frame import Frame
from detector.core.look import Look
from detector.delivery.attachment import pictures_of
from detector.delivery.courier import Route
from detector.delivery.endpoint import endpoint_of, subscribers
from detector.delivery.sinks import Tools, open_sink
from detector.evidence.archive import Archive
from detector.evidence.recorder import EvidenceRecorder, Redact
from detector.store import Store
from detector.store.receipts import Receipts


@dataclass(frozen=True, slots=True)
class _Way:
    """A route and what it was made of."""

    settings: EndpointSettings
    mapping: MappingFile | None
    route: Route


@dataclass(frozen=True, slots=True)
class WaitingOutlets:
    """What other settings name, checked and opened; nothing is sent or written there until it is taken."""

    evidence: EvidenceSettings
    ways: tuple[_Way, ...]
    fresh: tuple[_Way, ...]  # those of the ways that are not in force already

    def discard(self) -> None:
        """Release what was opened for nothing."""
        for way in self.fresh:
            way.route.sink.close()


class Outlets:
    """The endpoints of an installation and its archive of pictures."""

    def __init__(self, settings: Settings, store: Store, redact: Redact) -> None:
        """Connects to nothing yet. Raises ConfigError or DeliveryError for endpoints that cannot be."""
        self._redact = redact
        # asks for the picture in the archive of the moment
        self._tools = Tools(
            memory=lambda endpoint: Receipts(store, endpoint),
            picture=lambda link: self._shown(link),
            site=settings.site,
        )
        self._ways: tuple[_Way, ...] = ()
        self.take(self.prepare(settings))

    def prepare(self, settings: Settings) -> WaitingOutlets:
        """Make what other settings want and is not there yet. Raises ConfigError or DeliveryError; nothing changes."""
        known = {way.settings.name: way for way in self._ways}
        ways: list[_Way] = []
        fresh: list[_Way] = []
        try:
            for one in settings.endpoints:
                mapping = None if one.mapped is None else load_mapping(one.mapped.file)
                way = known.get(one.name)
                if way is None or (way.settings, way.mapping) != (one, mapping):
                    way = _Way(one, mapping, Route(endpoint_of(one), open_sink(one, self._tools)))
                    fresh.append(way)
                ways.append(way)
        except BaseException:
            for opened in fresh:
                opened.route.sink.close()
            raise
        return WaitingOutlets(settings.evidence, tuple(ways), tuple(fresh))

    def take(self, waiting: WaitingOutlets) -> None:
        """Tell these endpoints and write pictures there from now on; `routes` is then what a courier has to serve."""
        self.archive = Archive(waiting.evidence.directory)
        self._keep = picture_by(EvidenceRecorder(self.archive, self._redact), waiting.evidence.public_url)
        self._shown = pictures_of(self.archive, waiting.evidence.public_url)
        self._ways = waiting.ways

    @property
    def routes(self) -> list[Route]:
        """One for each endpoint; the same object as long as nothing about the endpoint changes."""
        return [way.route for way in self._ways]

    @property
    def names(self) -> list[str]:
        """The endpoints' names."""
        return [way.settings.name for way in self._ways]

    def subscribers(self, event_type: str) -> tuple[str, ...]:
        """Names of the endpoints that want an event type."""
        return subscribers(event_type, (way.route.endpoint for way in self._ways))

    def picture(
        self, event: ProblemEvent, look: Look, frame: Frame, camera: Camera | None, category: Category | None
    ) -> str:
        """Keep the picture of an event and return its link. Raises EvidenceError: nothing was written."""
        return self._keep(event, look, frame, camera, category)
