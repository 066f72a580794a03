"""Streams over HTTP that fall silent without hanging up: HTTP-FLV in the middle, HLS at each of its stages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.servers.http import RoughHandler, serving

SEGMENT_S = 4
STAGES = ("playlist", "segment", "tail", "reload")
"""Where an HLS server falls silent: before the playlist, before or within a segment, when the playlist is asked again.
`tail` is the middle of the second segment. After `reload` comes nothing new: the same playlist for ever, which a player
must ask for again and again."""


@contextmanager
def hanging_site(folder: Path) -> Iterator[str]:
    """Serve what is in `folder` until the block ends; yields the address.

    `/half/NAME`: the first half of the file, then silence. `/hls/STAGE/live.m3u8`: a live list of `0.ts`, `1.ts`.
    """
    closing = threading.Event()

    class Handler(RoughHandler, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, stage, name = [*self.path.split("/")[1:], "", ""][:3]
            if kind == "half":
                self._pay_out((folder / stage).read_bytes(), half=True)
            elif name.endswith(".m3u8"):
                self._hang_at(stage, "playlist")
                self._pay_out(_playlist())
            else:
                self._hang_at(stage, "segment")
                self._pay_out((folder / name).read_bytes(), half=stage == "tail" and name == "1.ts")

        def _hang_at(self, stage: str, here: str) -> None:
            if stage == here:
                closing.wait(120)

        def _pay_out(self, body: bytes, *, half: bool = False) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if half else body)
            if half:
                self.wfile.flush()
                closing.wait(120)

    with serving(Handler, closing) as address:
        yield address


def _playlist() -> bytes:
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{SEGMENT_S}", "#EXT-X-MEDIA-SEQUENCE:0"]
    for number in range(2):
        lines += [f"#EXTINF:{SEGMENT_S},", f"{number}.ts"]
    return ("\n".join(lines) + "\n").encode()
