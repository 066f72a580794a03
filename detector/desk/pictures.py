"""Evidence pictures: which link of an event may be shown, and serving the desk's own folder of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import FileResponse

from detector.desk.access import ReaderGate
from detector.errors import ConfigError, EvidenceError
from detector.evidence.access import AccessLog
from detector.evidence.archive import Archive


@dataclass(frozen=True, slots=True)
class Picture:
    """What a page may do with an event's evidence link."""

    src: str | None = None  # to be shown in the page
    link: str | None = None  # to be offered for a click only: a foreign place that the page does not load from


class Pictures:
    """The rule that turns evidence links into pictures, and the folder they are in."""

    def __init__(self, directory: Path | None, base_url: str | None) -> None:
        """`directory` holds the pictures when the desk serves them itself.

        `base_url` is what their links begin with (the detector's `evidence.public_url`); without a directory the
        page loads pictures from there. Raises ConfigError when it is no http(s) URL.
        """
        self._archive = Archive(directory) if directory else None
        self._base = None
        if base_url is not None:
            if not _is_web(base_url):
                raise ConfigError(f"the evidence base URL must begin with http:// or https://, not {base_url!r}")
            self._base = base_url.rstrip("/") + "/"

    @property
    def foreign_origin(self) -> str | None:
        """Origin other than the desk's own that pages load pictures from, for the content security policy."""
        if self._base is None or self._archive is not None:
            return None
        parts = urlsplit(self._base)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def picture(self, url: str | None) -> Picture:
        """What may be done with `url`; nothing at all with links that are neither ours nor http(s)."""
        if url is None:
            return Picture()
        if self._base and url.startswith(self._base):
            if self._archive is None:
                return Picture(src=url, link=url)
            return self._own(unquote(url.removeprefix(self._base)))
        if _is_web(url):
            return Picture(link=url)
        if ":" not in url and not url.startswith(("/", "\\")):
            return self._own(unquote(url))
        return Picture()

    def file(self, name: str) -> Path | None:
        """The picture of that name (relative, as the archive gave it); None for anything else."""
        if self._archive is None:
            return None
        try:
            return self._archive.locate(name)
        except EvidenceError:
            return None

    def _own(self, name: str) -> Picture:
        if self.file(name) is None:
            return Picture()
        address = f"/evidence/{quote(name)}"
        return Picture(src=address, link=address)


def evidence(
    pictures: Pictures, gate: ReaderGate, access_log: AccessLog | None, clock: Callable[[], datetime]
) -> APIRouter:
    """Route /evidence/{name}; every picture handed out is written to the access log first."""
    router = APIRouter()

    @router.get("/evidence/{name:path}")
    def show(request: Request, name: str, reader: str = Depends(gate)) -> FileResponse:
        path = pictures.file(name)
        if path is None or access_log is None:
            raise HTTPException(404, "no such picture: it may be past its retention time")
        address = request.client.host if request.client else ""
        try:
            access_log.record(reader, name, clock(), address=address, purpose="desk")
        except EvidenceError as error:
            raise HTTPException(503, "the access log cannot be written, so no picture is shown") from error
        return FileResponse(path, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})

    return router


def _is_web(url: str) -> bool:
    return url.startswith(("http://", "https://"))
