"""Opening streams and files with FFmpeg (PyAV): short probing, hard timeouts, and none of FFmpeg's own text let out."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from urllib.parse import urlsplit

import av
import av.error
import av.logging
from av.container import InputContainer
from av.stream import Discard, Stream
from av.video.stream import VideoStream

from detector.core.secrets import without_secrets
from detector.errors import SourceError, SourceUnreachable, SourceUnreadable
from detector.sources.names import look_up

# FFmpeg writes whole addresses, passwords included, into its log lines. They are switched off, and should something
# in the process switch them on again, they end here.
av.logging.set_level(None)
_ffmpeg_log = logging.getLogger("libav")
_ffmpeg_log.propagate = False
_ffmpeg_log.addHandler(logging.NullHandler())

LIVE = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "tcp", "udp"})
"""Schemes of addresses that are read over the network; all else is a local file."""

HLS_READ_TIMEOUT_S = 20.0
"""Least read timeout for HLS: nothing comes between two segments, which last up to 10 s."""

# Which protocols an address may lead to: a playlist or a description must not make us read local files.
_PROTOCOLS = {
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsp,rtp,udp,tcp,tls",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,rtmp,tcp,tls",
    "http": "http,https,tcp,tls,crypto",
    "https": "http,https,tcp,tls,crypto",
    "tcp": "tcp",  # MPEG-TS as it is
    "udp": "udp",
    "file": "file,crypto",
}

# Probing. FFmpeg by default watches a stream for up to 5 s and decodes its beginning to tell frame rate and pixel
# format, neither of which is needed: RTSP announces its codec before the first packet, and the decoder learns the rest
# from the first keyframe. An allow-list of codecs that names none keeps probing from decoding. `nobuffer` would be
# wrong here: it throws away what probing has read, which is the first keyframe.
_PROBING = {"fpsprobesize": "0", "codec_whitelist": "none"}
_PROBING_ANNOUNCED = {**_PROBING, "probesize": "32", "analyzeduration": "1"}
_PROBING_DISCOVERED = {**_PROBING, "probesize": "131072", "analyzeduration": "500000"}


def scheme(address: str) -> str:
    """The scheme of a stream's address in lower case; `file` for a path."""
    found = urlsplit(address).scheme.lower() if "://" in address else ""
    return found or "file"


def is_live(address: str) -> bool:
    """Whether the address is read over the network."""
    return scheme(address) in LIVE


def shown(address: str) -> str:
    """The address as it may appear in messages."""
    return without_secrets(address)


def is_hls(address: str) -> bool:
    """Whether the address is an HLS playlist, told by its path."""
    return urlsplit(address).path.lower().endswith((".m3u8", ".m3u"))


def open_container(address: str, open_timeout_s: float, read_timeout_s: float) -> InputContainer:
    """Open a stream (rtsp, rtsps, rtmp, rtmps, http, https, tcp, udp) or a file (path or file://).

    Blocks up to `open_timeout_s` for the name server's and the server's answer together, and up to the same again for
    the first data.
    Raises SourceUnreachable when there is no answer, no such file or stream, or no permission; SourceUnreadable when
    what comes is no video, or the address is of a kind that is not read here.
    """
    kind = scheme(address)
    if kind not in _PROTOCOLS:
        raise SourceUnreadable(
            f"{shown(address)}: addresses of the kind {kind}:// are not read; "
            f"use a path or one of {', '.join(sorted(LIVE))}"
        )
    options = {"protocol_whitelist": _PROTOCOLS[kind]}
    name = address
    match kind:
        case "rtsp" | "rtsps":
            options |= _PROBING_ANNOUNCED
            options |= {
                "rtsp_transport": "tcp",  # UDP loses packets, and each lost one greys a keyframe
                "allowed_media_types": "video",
                "timeout": str(round(1e6 * max(open_timeout_s, read_timeout_s))),
            }
        case "file":
            name = _existing(address)
            options |= _PROBING
        case _:
            options |= _PROBING_DISCOVERED
            if kind == "udp":
                options["overrun_nonfatal"] = "1"  # lost packets break pictures, not the stream
            options |= {"rw_timeout": str(round(1e6 * max(open_timeout_s, read_timeout_s)))}
    if is_hls(address) and kind != "file":
        read_timeout_s = max(read_timeout_s, HLS_READ_TIMEOUT_S)
    began = time.monotonic()
    if kind in LIVE:
        look_up(address, open_timeout_s)
    left_s = max(0.1, open_timeout_s - (time.monotonic() - began))
    try:
        return av.open(name, "r", options=options, timeout=(left_s, read_timeout_s))
    except av.FFmpegError as error:
        silence = f"no answer within {open_timeout_s:g} s"
        told = translated(error, address, silence)
        if kind != "file" and time.monotonic() - began >= open_timeout_s:
            # Interrupted by the timeout, FFmpeg's RTSP reports the answer that did not come as invalid data.
            told = SourceUnreachable(f"{shown(address)}: {silence}")
        raise told from error


def _existing(address: str) -> str:
    path = Path(address.removeprefix("file://"))
    if not path.is_file():
        problem = "is a folder, not a video file" if path.is_dir() else "no such file"
        raise SourceUnreachable(f"{path}: {problem}")
    return f"file:{path}"  # with the prefix, no file name is taken for an address of another kind


def video_of(container: InputContainer, address: str, also: Stream | None = None) -> VideoStream:
    """The video stream of an opened container; all others but `also` are not read.

    Raises SourceUnreadable if it has none that can be decoded.
    """
    found = container.streams.best("video")
    if not isinstance(found, VideoStream):
        raise SourceUnreadable(f"{shown(address)}: carries no video")
    if found.codec_context is None:
        raise SourceUnreadable(f"{shown(address)}: its video has a codec that cannot be decoded")
    for other in container.streams:
        if other is not found and other is not also:
            other.discard = Discard.all
    return found


_UNREACHABLE: dict[type[Exception], str] = {
    av.error.HTTPUnauthorizedError: "wrong or missing user name or password (401)",
    av.error.HTTPForbiddenError: "access is forbidden (403)",
    av.error.HTTPNotFoundError: "there is no such stream (404)",
    EOFError: "it closed the connection",
}
_UNREADABLE: dict[type[Exception], str] = {
    av.error.InvalidDataError: "what it sends is no video that can be read",
    av.error.LookupError: "its format or codec is not known",
    av.error.PatchWelcomeError: "its format is not supported",
}


def translated(error: av.FFmpegError, address: str, silence: str) -> SourceError:
    """One of our errors for one of FFmpeg's; `silence` says what a timeout means here.

    Also strips the address from `error` itself, which will be attached as the cause and may be logged with it.
    """
    # FFmpegError keeps the file name and FFmpeg's last log line in its third and fourth argument.
    error.args = error.args[:2]
    # ExitError: our own timeout has interrupted a blocking call.
    if isinstance(error, (av.error.ExitError, TimeoutError)):
        return SourceUnreachable(f"{shown(address)}: {silence}")
    for known, text in _UNREADABLE.items():
        if isinstance(error, known):
            return SourceUnreadable(f"{shown(address)}: {text}")
    for known, text in _UNREACHABLE.items():
        if isinstance(error, known):
            return SourceUnreachable(f"{shown(address)}: {text}")
    return SourceUnreachable(f"{shown(address)}: {error.strerror}")
