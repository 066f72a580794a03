"""What FFmpeg is told about how long it may take: the name server's time and the server's are one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import av
import pytest

from detector.errors import SourceUnreachable
from detector.sources import container as module
from detector.sources.container import open_container


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """How FFmpeg was called; it does not answer. Asking the name server takes a second, on a clock of its own."""
    calls: list[dict[str, Any]] = []
    now = [100.0]

    def look_up(_address: str, _timeout_s: float) -> None:
        now[0] += 1.0

    def refuse(name: str, _mode: str, **how: Any) -> None:
        calls.append({"name": name, **how})
        raise av.error.ExitError(1, "timed out")

    monkeypatch.setattr(module, "look_up", look_up)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(av, "open", refuse)
    return calls


@pytest.mark.parametrize(
    ("url", "limit"),
    [
        ("rtsp://10.0.0.5/gate", "timeout"),
        ("rtsps://10.0.0.5/gate", "timeout"),
        ("rtmp://10.0.0.5/live/gate", "rw_timeout"),
        ("http://10.0.0.5/gate.flv", "rw_timeout"),
        ("https://10.0.0.5/gate.ts", "rw_timeout"),
        ("tcp://10.0.0.5:5000", "rw_timeout"),
    ],
)
def test_opening_and_reading_have_limits_of_their_own(asked: list[dict[str, Any]], url: str, limit: str) -> None:
    with pytest.raises(SourceUnreachable, match="no answer within 3 s"):
        open_container(url, 3.0, 7.0)
    (call,) = asked
    assert call["timeout"] == pytest.approx((2.0, 7.0)), "what the name server took is gone"
    assert call["options"][limit] == "7000000", "microseconds"


def test_little_is_left_but_not_nothing(asked: list[dict[str, Any]]) -> None:
    with pytest.raises(SourceUnreachable):
        open_container("rtsp://10.0.0.5/gate", 0.5, 7.0)
    assert asked[0]["timeout"][0] == pytest.approx(0.1), "0 would mean for ever"


def test_a_playlist_may_stay_silent_for_longer_than_a_stream(asked: list[dict[str, Any]]) -> None:
    with pytest.raises(SourceUnreachable):
        open_container("http://10.0.0.5/live/gate.m3u8", 3.0, 1.0)
    assert asked[0]["timeout"] == pytest.approx((2.0, module.HLS_READ_TIMEOUT_S))


def test_cameras_are_read_over_tcp(asked: list[dict[str, Any]]) -> None:
    with pytest.raises(SourceUnreachable):
        open_container("rtsp://10.0.0.5/gate", 3.0, 7.0)
    assert asked[0]["options"]["rtsp_transport"] == "tcp"
