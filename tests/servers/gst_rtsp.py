"""A camera wall for tests: GStreamer's RTSP server, run by the system's Python (it needs gi, not our packages).

    /usr/bin/python3 gst_rtsp.py PORT_FILE PLAN.json

PLAN is {"port": 0, "user": null, "password": null, "mounts": {"/cam0": {"clip": "...", "live": false, "ahead_s": 0}}}.
The port really bound is written to PORT_FILE once the server listens. A mount that is `live` has one pipeline
shared by all its visitors, so who comes later joins in the middle of a group of pictures, as with a real camera;
otherwise each visitor gets the clip from its start. `ahead_s`: the camera's clock, as its RTCP sender reports tell it,
minus that of this machine.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, GObject, Gst, GstRtspServer  # noqa: E402


def pipeline(clip: str, codec: str) -> str:
    """The launch line that pays out `clip` (mp4) without touching its coded pictures."""
    return f'( filesrc location="{clip}" ! qtdemux ! {codec}parse config-interval=-1 ! rtp{codec}pay name=pay0 pt=96 )'


def codec_of(clip: str) -> str:
    """`h264` or `h265`, told by the sample description in the mp4's header."""
    head = Path(clip).read_bytes()
    return "h265" if b"hvcC" in head else "h264"


def tell_own_clock(_factory: GstRtspServer.RTSPMediaFactory, media: GstRtspServer.RTSPMedia) -> None:
    """Have sender reports tell the time of the media's own clock instead of this machine's."""

    def prepared(media: GstRtspServer.RTSPMedia) -> None:
        elements = media.get_element().get_parent().iterate_elements()
        while (found := elements.next())[0] == Gst.IteratorResult.OK:
            if found[1].get_factory().get_name() == "rtpbin":
                Gst.util_set_object_arg(found[1], "ntp-time-source", "clock-time")

    media.connect("prepared", prepared)


NTP_EPOCH_S = 2_208_988_800
"""1970-01-01 by RTCP, which counts from 1900 (RFC 3550, section 4)."""


def clock_of(ahead_s: float) -> Gst.Clock:
    """A clock in NTP time that is so much ahead of this machine's."""
    clock = GObject.new(Gst.SystemClock, clock_type=Gst.ClockType.REALTIME)
    clock.set_calibration(0, round((NTP_EPOCH_S + ahead_s) * Gst.SECOND), 1, 1)
    return clock


def serve(port_file: str, plan: dict[str, object]) -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(plan.get("port", 0)))
    mounts = server.get_mount_points()
    codecs: dict[str, str] = {}
    token = None
    if plan.get("user"):
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(plan["user"], plan["password"]), token)
        server.set_auth(auth)
    for path, mount in plan["mounts"].items():
        clip = mount["clip"]
        if clip not in codecs:
            codecs[clip] = codec_of(clip)
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(pipeline(clip, codecs[clip]))
        factory.set_shared(bool(mount.get("live")))
        if mount.get("ahead_s"):
            factory.connect("media-configure", tell_own_clock)
            factory.set_clock(clock_of(mount["ahead_s"]))
        if token is not None:
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role("viewer", "media.factory.access", True)
            permissions.add_permission_for_role("viewer", "media.factory.construct", True)
            factory.set_permissions(permissions)
        mounts.add_factory(path, factory)
    if server.attach(None) == 0:
        sys.exit("the RTSP server could not bind its port")
    # Sessions of visitors that vanish without TEARDOWN are dropped by the pool only when asked to.
    GLib.timeout_add_seconds(2, lambda: bool(server.get_session_pool().cleanup() or True))
    # Not left behind when the test process is killed.
    parent = os.getppid()
    GLib.timeout_add_seconds(1, lambda: os.getppid() == parent or os._exit(1))
    unfinished = Path(f"{port_file}.part")
    unfinished.write_text(str(server.get_bound_port()))
    unfinished.replace(port_file)
    GLib.MainLoop().run()


if __name__ == "__main__":
    serve(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()))
