"""Evidence pictures for receivers that cannot follow a link."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from detector.errors import EvidenceError
from detector.evidence.archive import Archive

LARGEST = 10_000_000
"""Bytes of a picture that is still put into a request."""


def pictures_of(archive: Archive, public_url: str | None) -> Callable[[str], bytes | None]:
    """The function from an evidence link of an event to the redacted JPEG; None when it is gone or too large."""
    prefix = None if public_url is None else f"{public_url.rstrip('/')}/"

    def picture(link: str) -> bytes | None:
        if prefix is not None and link.startswith(prefix):
            link = unquote(link.removeprefix(prefix))
        try:
            path = archive.locate(link)
            return path.read_bytes() if path.stat().st_size <= LARGEST else None
        except (EvidenceError, OSError):
            return None

    return picture
