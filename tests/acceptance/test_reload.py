"""SIGHUP on a real process with real receivers: endpoints come, change and go, and nothing that waits is lost."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from detector.assembly import categories_of
from detector.config import load_settings
from detector.service import Service
from detector.store import DeliveryState, OutboxEntry, Store, open_store
from tests.acceptance.drawn import colour_bundle
from tests.acceptance.test_whole_line import Running, write_settings
from tests.delivery.receiver import NEXT_SECRET, SECRET, Answer, Receiver, receiver
from tests.sources.clips import now
from tests.worker.doubles import until


class Installation:
    """A worker with a camera that is not there; events are recorded beside it, as a second worker would."""

    def __init__(self, folder: Path) -> None:
        self._model = colour_bundle(folder / "colours")
        self._folder = folder
        self.path = self.write([])
        self.store: Store = open_store(load_settings(self.path).database)
        self.running = Running(self.path)
        self.running.wait_for("watching 1 cameras")

    def write(self, endpoints: list[dict[str, Any]], **changes: object) -> Path:
        path = write_settings(self._folder, [{"id": "one", "url": "rtsp://127.0.0.1:1/a"}], None, self._model)
        settings = yaml.safe_load(path.read_text())
        path.write_text(yaml.safe_dump(settings | {"endpoints": endpoints} | changes))
        return path

    def reload(self, told: str = "settings reloaded") -> None:
        before = self.running.log.read_text().count(told)
        self.running.process.send_signal(signal.SIGHUP)
        assert until(lambda: self.running.log.read_text().count(told) > before), self.running.log.read_text()

    def event(self, event_id: str, *endpoints: str) -> None:
        entry = OutboxEntry(event_id, "problem.opened", event_id, now(), b'{"id": "%s"}' % event_id.encode(), endpoints)
        self.store.record(now(), [], [entry])

    def states(self) -> dict[tuple[str, str], DeliveryState]:
        return {(one.event_id, one.endpoint): one.state for one in self.store.deliveries()}

    def end(self) -> None:
        assert self.running.end() == 0
        self.store.close()


@pytest.fixture
def installation(tmp_path: Path) -> Any:
    made = Installation(tmp_path)
    try:
        yield made
    finally:
        made.end()


def endpoint(name: str, at: Receiver, *secrets: str) -> dict[str, Any]:
    secrets = secrets or (SECRET,)
    return {"name": name, "url": at.url, "secrets": list(secrets), "events": ["problem.*"]}  # its camera is ill


def got(at: Receiver, *ids: str) -> Callable[[], bool]:
    return lambda: set(at.ids) == set(ids)


def test_endpoints_are_added_changed_and_removed(installation: Installation) -> None:
    with receiver() as bureau, receiver() as street, receiver(secret=NEXT_SECRET) as rotated:
        installation.write([endpoint("bureau", bureau)])
        installation.reload()
        installation.event("e1", "bureau", "street")
        assert until(got(bureau, "e1"))
        installation.write([endpoint("bureau", bureau), endpoint("street", street)])
        installation.reload()
        assert until(got(street, "e1")), "what waited for a name goes out when the name is there"
        # the bureau moves and signs with another secret
        installation.write([endpoint("bureau", rotated, NEXT_SECRET), endpoint("street", street)])
        installation.reload()
        installation.event("e2", "bureau", "street")
        assert until(got(rotated, "e2"))
        assert until(got(street, "e1", "e2"))
        assert bureau.ids == ["e1"]
        assert rotated.unverified == []
        # the street's endpoint is removed: what is for it is kept, told, and goes out when it is back
        installation.write([endpoint("bureau", rotated, NEXT_SECRET)])
        installation.reload()
        installation.event("e3", "bureau", "street")
        assert until(got(rotated, "e2", "e3"))
        assert installation.states()["e3", "street"] is DeliveryState.PENDING
        installation.reload("1 events wait for an endpoint that is not configured")
        installation.write([endpoint("bureau", rotated, NEXT_SECRET), endpoint("street", street)])
        installation.reload()
        assert until(got(street, "e1", "e2", "e3"))
        assert until(lambda: set(installation.states().values()) == {DeliveryState.DELIVERED})


def test_a_wrong_secret_is_put_right_without_a_restart(installation: Installation) -> None:
    with receiver(secret=NEXT_SECRET) as bureau:
        installation.write([endpoint("bureau", bureau, SECRET)])
        installation.reload()
        installation.event("e1", "bureau")
        assert until(lambda: len(bureau.unverified) >= 1)
        installation.write([endpoint("bureau", bureau, NEXT_SECRET, SECRET)])
        installation.reload()
        assert until(got(bureau, "e1")), "at once, not after the wait that its failures had earned"


def test_a_removed_endpoint_that_hangs_holds_nobody_up(installation: Installation) -> None:
    with receiver(lambda *_: Answer(hang=True)) as hanging, receiver() as well:
        installation.write([endpoint("bureau", hanging)])
        installation.reload()
        installation.event("e1", "bureau")
        assert until(lambda: len(hanging.requests) == 1)
        installation.write([endpoint("street", well)])
        installation.reload()
        installation.event("e2", "street")
        assert until(got(well, "e2"))
        assert installation.states()["e1", "bureau"] is DeliveryState.PENDING


MAPPED = {"name": "second", "url": "http://127.0.0.1:1/", "kind": "mapped", "mapped": {"file": "no.yaml"}}


@pytest.mark.parametrize(
    ("more", "change", "named"),
    [
        ([{"name": "second", "url": "ftp://x", "secrets": [SECRET]}], {}, "url"),
        ([MAPPED], {}, "no.yaml"),
        ([], {"model": {"path": "no-such-bundle"}}, "no-such-bundle"),
        ([], {"rules": {"zones": "no-zones.yaml"}}, "no-zones.yaml"),
    ],
    ids=["endpoint", "mapping", "model", "zones"],
)
def test_what_is_not_valid_changes_nothing_at_all(
    installation: Installation, more: list[dict[str, Any]], change: dict[str, Any], named: str
) -> None:
    with receiver() as bureau, receiver() as other:
        installation.write([endpoint("bureau", bureau)])
        installation.reload()
        installation.write([endpoint("bureau", other), *more], **change)
        installation.reload("the old ones stay in force")
        assert named in installation.running.log.read_text()
        installation.event("e1", "bureau")
        assert until(got(bureau, "e1"))
        assert other.ids == []


def test_what_waits_for_the_next_start_is_told(installation: Installation, tmp_path: Path) -> None:
    installation.write([], database="sqlite:///other.db", evidence={"directory": str(tmp_path / "elsewhere")})
    installation.reload("a change of `database` takes effect at the next start")
    assert until(lambda: "stay there and are no longer deleted" in installation.running.log.read_text())
    assert not (tmp_path / "other.db").exists()
    assert SECRET not in installation.running.log.read_text()


def test_a_change_of_model_takes_nothing_of_a_reload_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bundles are watched by another thread than the one that reads settings."""
    model = colour_bundle(tmp_path / "colours")
    path = write_settings(tmp_path, [{"id": "one", "url": "rtsp://127.0.0.1:1/a"}], None, model)
    service = Service(load_settings(path))
    before = service.worker.loop.decider.judging.rules
    reloading = threading.Thread(target=service.reload, args=(path,))

    def reloaded_meanwhile(*given: Any) -> Any:
        reloading.start()
        reloading.join(1)  # it may have to wait for the change of the model to end
        return categories_of(*given)

    monkeypatch.setattr("detector.service.categories_of", reloaded_meanwhile)
    model.rename(tmp_path / "old")
    colour_bundle(tmp_path / "colours", ("bin", "garbage", "cone"))
    service._take_up_a_new_model()
    reloading.join(60)
    judging = service.worker.loop.decider.judging
    service.worker.patrol.stop()
    service.store.close()
    assert service.model.current.labels == ("bin", "garbage", "cone")
    assert judging.rules is not before


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_the_patrol_gets_more_and_fewer_threads(installation: Installation) -> None:
    tasks = Path(f"/proc/{installation.running.process.pid}/task")

    def threads(of_patrol: int) -> Callable[[], bool]:
        return lambda: len(list(tasks.iterdir())) == others + of_patrol

    installation.write([], patrol={"concurrent": 2})
    installation.reload()
    others = 0
    waiter = threading.Event()
    same = 0
    while same < 3:  # those that leave, and those that end their start-up, are gone by then
        counted = others
        waiter.wait(0.7)
        others = len(list(tasks.iterdir())) - 2
        same = same + 1 if counted == others else 0
    for wanted in (40, 5):
        installation.write([], patrol={"concurrent": wanted})
        installation.reload()
        assert until(threads(of_patrol=wanted))
