"""HTTP-FLV, HLS, MPEG-TS over HTTP and RTMP, from servers that are not ours."""

from __future__ import annotations

import http.server
import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from detector.config.values import STREAM_SCHEMES
from detector.errors import SourceUnreachable, SourceUnreadable
from detector.sources.container import LIVE
from detector.sources.options import StreamOptions, VisitOptions
from detector.sources.video import VideoSource, open_video
from detector.sources.visit import visit
from tests.servers.ffmpeg import ffmpeg
from tests.servers.http import RoughHandler, serving
from tests.servers.process import free_port
from tests.servers.rtsp import RtspServer
from tests.servers.tls import certificate, tls_front
from tests.sources.clips import now, read_until_it_fails, remux

OPTIONS = StreamOptions(interval_s=2, open_timeout_s=30, read_timeout_s=30)
IMPATIENT = StreamOptions(interval_s=2, open_timeout_s=30, read_timeout_s=5)


class Files(RoughHandler, http.server.SimpleHTTPRequestHandler):
    """Hands out what is in a folder."""

    protocol_version = "HTTP/1.0"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "site"
    folder.mkdir()
    with serving(partial(Files, directory=str(folder))) as address:
        yield folder, address


@pytest.fixture
def kerb(shared: Path) -> Path:
    return shared / "clips" / "lifecycle" / "street-left-kerb.mp4"


@pytest.mark.parametrize("name", ["live.flv", "live.ts", pytest.param("live.m3u8", id="hls"), "clip.mp4"])
def test_what_comes_over_http_is_read(site: tuple[Path, str], kerb: Path, name: str) -> None:
    folder, address = site
    options = {}
    if name.endswith("m3u8"):
        options = {"hls_list_size": "0", "hls_time": "4"}
    elif name.endswith("mp4"):
        options = {"movflags": "faststart"}  # this server cannot serve a part of a file
    remux([kerb], folder / name, seconds=12, **options)
    source = open_video(f"{address}/{name}?token=abc", "gate", OPTIONS, now)
    found = [source.read() for _ in range(5)]
    source.close()
    assert [frame is not None and frame.size for frame in found] == [(1280, 720)] * 5
    assert source.gop_s == 2.0
    assert visit(f"{address}/{name}", "gate", VisitOptions(), now).size == (1280, 720)


def test_a_file_over_http_has_an_end(site: tuple[Path, str], kerb: Path) -> None:
    folder, address = site
    remux([kerb], folder / "clip.mp4", seconds=4, movflags="faststart")
    source = open_video(f"{address}/clip.mp4", "gate", OPTIONS, now)
    read_until_it_fails(source)
    source.close()


def test_what_is_no_video_over_http_is_told(site: tuple[Path, str]) -> None:
    folder, address = site
    (folder / "page.flv").write_text("<html>login</html>" * 500)
    with pytest.raises(SourceUnreadable, match=r"page\.flv"):
        open_video(f"{address}/page.flv", "gate", OPTIONS, now)
    with pytest.raises(SourceUnreachable, match="404"):
        open_video(f"{address}/none.flv", "gate", OPTIONS, now)


def test_a_playlist_does_not_read_local_files(site: tuple[Path, str], kerb: Path) -> None:
    folder, address = site
    (folder / "trap.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{kerb}\n#EXT-X-ENDLIST\n")
    with pytest.raises((SourceUnreadable, SourceUnreachable)):
        open_video(f"{address}/trap.m3u8", "gate", OPTIONS, now)


@pytest.mark.server
@pytest.mark.parametrize("scheme", ["rtmp", "http"])
def test_live_flv_is_read_and_its_end_is_told(kerb: Path, tmp_path: Path, scheme: str) -> None:
    """The ffmpeg program as the server: it waits for one visitor and sends him the clip."""
    url = f"{scheme}://127.0.0.1:{free_port()}/" + ("live/gate" if scheme == "rtmp" else "gate.flv")
    with ffmpeg(tmp_path, "-i", kerb, "-t", "12", "-c", "copy", "-f", "flv", "-listen", "1", url):
        source = opened_when_it_listens(url)
        found = [source.read() for _ in range(4)]
        with pytest.raises(SourceUnreachable, match=r"ended|Input/output"):
            read_until_it_fails(source)
        source.close()
    assert [frame is not None and frame.size for frame in found] == [(1280, 720)] * 4


@pytest.mark.server
@pytest.mark.parametrize("scheme", ["tcp", "udp"])
def test_a_transport_stream_is_read_as_it_is(kerb: Path, tmp_path: Path, scheme: str) -> None:
    """The ffmpeg program as the sender: over TCP it waits for a visitor, over UDP it talks to whoever listens."""
    url = f"{scheme}://127.0.0.1:{free_port()}"
    address = f"{url}?listen=1" if scheme == "tcp" else f"{url}?pkt_size=1316"
    with ffmpeg(tmp_path, "-re", "-i", kerb, "-c", "copy", "-f", "mpegts", address) as sender:
        source = opened_when_it_listens(url, IMPATIENT)
        found = [source.read() for _ in range(3)]
        assert [frame is not None and frame.size for frame in found] == [(1280, 720)] * 3
        sender.freeze()
        with pytest.raises(SourceUnreachable, match="no data for 5 s"):
            read_until_it_fails(source)
        source.close()


@pytest.mark.server
@pytest.mark.parametrize("name", ["live.flv", "live.ts", pytest.param("live.m3u8", id="hls")])
def test_what_comes_over_https_is_read(site: tuple[Path, str], kerb: Path, tmp_path: Path, name: str) -> None:
    folder, address = site
    options = {"hls_list_size": "0", "hls_time": "4"} if name.endswith("m3u8") else {}
    remux([kerb], folder / name, seconds=8, **options)
    port = urlsplit(address).port
    assert port is not None
    with tls_front(port, certificate(tmp_path)) as front:
        source = open_video(f"https://127.0.0.1:{front}/{name}", "gate", OPTIONS, now)
        assert [frame is not None and frame.size for frame in (source.read(), source.read())] == [(1280, 720)] * 2
        source.close()


@pytest.mark.server
def test_rtsps_is_read(rtsp_server: RtspServer, kerb: Path, tmp_path: Path) -> None:
    rtsp_server.start({"gate": kerb}, login=("viewer", "right"))
    with tls_front(rtsp_server.port, certificate(tmp_path)) as front:
        url = f"rtsps://viewer:right@127.0.0.1:{front}/gate"
        source = open_video(url, "gate", OPTIONS, now)
        assert [frame is not None and frame.size for frame in (source.read(), source.read())] == [(1280, 720)] * 2
        source.close()
        assert visit(url, "gate", VisitOptions(), now).size == (1280, 720)


@pytest.mark.server
def test_rtmps_is_read(kerb: Path, tmp_path: Path) -> None:
    port = free_port()
    url = f"rtmp://127.0.0.1:{port}/live/gate"
    sending = ffmpeg(tmp_path, "-re", "-i", kerb, "-c", "copy", "-f", "flv", "-listen", "1", url)
    with tls_front(port, certificate(tmp_path)) as front, sending:  # it ends before the front does
        source = opened_when_it_listens(f"rtmps://127.0.0.1:{front}/live/gate")
        assert [frame is not None and frame.size for frame in (source.read(), source.read())] == [(1280, 720)] * 2
        source.close()


def test_the_settings_know_the_same_schemes() -> None:
    assert STREAM_SCHEMES == LIVE


def opened_when_it_listens(url: str, options: StreamOptions = OPTIONS) -> VideoSource:
    for _ in range(300):
        try:
            return open_video(url, "gate", options, now)
        except SourceUnreachable as error:
            # behind a TLS front a refusal looks otherwise
            if not re.search("refused|reset|closed|Input/output", str(error)):
                raise
            time.sleep(0.1)
    pytest.fail("the server never listened")
