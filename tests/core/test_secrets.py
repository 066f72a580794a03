"""A canary password never survives `without_secrets` or `scrub`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.secrets import linkable, one_line, scrub, without_secrets

CANARY = "c4n4ry"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"rtsp://admin:{CANARY}@10.0.0.5:554/live/1", "rtsp://***@10.0.0.5:554/live/1"),
        (f"rtsp://admin:{CANARY}@w@10.0.0.5/live", "rtsp://***@10.0.0.5/live"),
        (f"http://zlm/index/api/getSnap?secret={CANARY}&url=x", "http://zlm/index/api/getSnap?***"),
        (f"rtsp://u:p/{CANARY}@host/live", "rtsp://***@host/live"),
        (f"rtsp://[{CANARY}@", "rtsp://***@"),
        (f"http://h/p#{CANARY}", "http://h/p?***"),
        ("clips/street.mp4", "clips/street.mp4"),
    ],
)
def test_known_shapes(url: str, shown: str) -> None:
    assert without_secrets(url) == shown
    assert CANARY not in without_secrets(url)


@given(
    st.text(
        st.characters(codec="ascii", exclude_categories=["C", "Z"], exclude_characters="'\"<>"),
        max_size=8,
    )
)
def test_whatever_stands_around_it(noise: str) -> None:
    url = f"rtsp://admin:{noise}{CANARY}@camera.example/live"
    assert CANARY not in without_secrets(url)
    assert CANARY not in scrub(f"Error opening {url}: Connection refused")


def test_webhook_secrets_go_too() -> None:
    assert scrub("bad secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw here") == "bad secret whsec_*** here"


@given(st.text(st.characters(exclude_categories=())), st.integers(0, 600))
def test_one_line_is_one_printable_line(text: str, longest: int) -> None:
    line = one_line(text, longest)
    assert len(line) <= longest
    assert line.isprintable()
    line.encode()


def test_one_line_hides_before_it_cuts() -> None:
    assert one_line(f"a\n\tb rtsp://u:{CANARY}@h/1", 14) == "a b rtsp://***"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("http://10.0.0.7:8800", "http://10.0.0.7:8800"),
        ("https://li:pa/ss?w@rd#x@desk.example/a/b", "https://desk.example/a/b"),
        ("https://desk.example/a?token=canary#part", "https://desk.example/a"),
        ("https://desk.example/a#canary", "https://desk.example/a"),
    ],
)
def test_an_address_that_is_linked_leads_there_and_tells_nothing(url: str, link: str) -> None:
    assert linkable(url) == link
