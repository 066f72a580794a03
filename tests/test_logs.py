from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from detector.logs import Style, configure, logger

CANARY = "c4n4ry-pa55"
URL = f"rtsp://viewer:{CANARY}@192.0.2.1/stream?secret={CANARY}"
WEBHOOK = "whsec_" + "QUJD" * 10


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, hooks = list(root.handlers), root.level, (sys.excepthook, threading.excepthook)
    root.handlers = []  # pytest's own stay open
    yield
    root.handlers, (sys.excepthook, threading.excepthook) = handlers, hooks
    root.setLevel(level)
    logging.captureWarnings(False)


def written(style: Style, stream: io.StringIO | None = None) -> io.StringIO:
    stream = stream or io.StringIO()
    configure("debug", style, stream)
    return stream


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_json_line_has_its_fields() -> None:
    stream = written("json")
    logger("detector.worker").bind(camera_id="east-gate").info("100 % opened", problem_id="p1", looks=3)
    line = json.loads(stream.getvalue())
    assert line["message"] == "100 % opened"
    assert line["level"] == "info"
    assert line["logger"] == "detector.worker"
    assert (line["camera_id"], line["problem_id"], line["looks"]) == ("east-gate", "p1", 3)
    assert line["time"].endswith("+00:00")


def test_a_console_line_has_its_fields_at_the_end() -> None:
    stream = written("console")
    logging.getLogger("detector.store").warning("slow by %d s", 3, extra={"event_id": "e1"})
    assert stream.getvalue().endswith("WARNING detector.store: slow by 3 s event_id=e1\n")


def test_a_field_may_be_named_like_an_attribute_of_the_library() -> None:
    stream = written("json")
    logger("x").info("m", name="n")
    assert json.loads(stream.getvalue())["name_"] == "n"


def test_a_level_that_is_not_wanted_is_not_written() -> None:
    stream = io.StringIO()
    configure("warning", "json", stream)
    logger("x").info("m")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("style", ["json", "console", "terminal"])
def test_a_password_appears_nowhere(style: str) -> None:
    stream = (
        written("console", Terminal()) if style == "terminal" else written("json" if style == "json" else "console")
    )
    log = logger("x", camera=URL)
    log.info(f"opening {URL}", secret=WEBHOOK, several=[URL])
    logging.getLogger("lib").warning("cannot open %s", URL, extra={"url": URL})
    try:
        raise OSError(f"no route to {URL}")
    except OSError as error:
        log.exception(f"failed: {error}")
        logging.getLogger("lib").error("failed", exc_info=error, stack_info=True)
    text = stream.getvalue()
    assert CANARY not in text
    assert "QUJD" not in text
    assert text.count("***") >= 8
    assert "no route to" in text
    assert "Traceback" in text


@pytest.mark.parametrize("style", ["json", "console"])
def test_an_uncaught_error_is_logged_without_its_password(style: Style) -> None:
    stream = written(style)
    error = OSError(f"no route to {URL}")
    sys.excepthook(OSError, error, None)

    def fail() -> None:
        raise error

    thread = threading.Thread(target=fail, name="reader")
    thread.start()
    thread.join()
    text = stream.getvalue()
    assert CANARY not in text
    assert text.count("no route to") == 2
    assert "reader" in text


def test_warnings_of_libraries_are_logged() -> None:
    import warnings

    stream = written("json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"odd stream {URL}", stacklevel=1)
    assert CANARY not in stream.getvalue()
    assert "odd stream" in stream.getvalue()
