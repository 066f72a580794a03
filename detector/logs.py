"""Structured logs: camera, problem and event ids as fields, and no secret in any of them.

Every record passes `detector.core.secrets.scrub` where it is formatted: message, fields and traceback, from our code
and from libraries. Fields are given as keywords to a `Logger`, or as `extra={...}` to one of the standard library; the
known names are `camera_id`, `problem_id`, `event_id`, `endpoint`.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

from detector.core.secrets import scrub

Level = Literal["debug", "info", "warning", "error"]
Style = Literal["console", "json"]

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
"""Attributes that every record has; what is beyond them are fields."""


class Logger:
    """A named logger whose fields are keywords: `log.info("opened", camera_id="east-gate")`."""

    __slots__ = ("_fields", "_logger")

    def __init__(self, target: logging.Logger, fields: Mapping[str, object]) -> None:
        self._logger = target
        self._fields = fields

    def bind(self, **fields: object) -> Logger:
        """The same logger with `fields` in each of its records."""
        return Logger(self._logger, {**self._fields, **fields})

    def debug(self, message: str, /, **fields: object) -> None:
        """What only the author of the code wants to know."""
        self._log(logging.DEBUG, message, fields)

    def info(self, message: str, /, **fields: object) -> None:
        """The normal course of things."""
        self._log(logging.INFO, message, fields)

    def warning(self, message: str, /, **fields: object) -> None:
        """Works, but somebody should know."""
        self._log(logging.WARNING, message, fields)

    def error(self, message: str, /, **fields: object) -> None:
        """Something could not be done."""
        self._log(logging.ERROR, message, fields)

    def exception(self, message: str, /, **fields: object) -> None:
        """An error with the traceback of the exception being handled."""
        self._log(logging.ERROR, message, fields, traceback=True)

    def _log(self, level: int, message: str, fields: Mapping[str, object], *, traceback: bool = False) -> None:
        if self._logger.isEnabledFor(level):
            extra = {f"{name}_" if name in _OWN else name: value for name, value in {**self._fields, **fields}.items()}
            # the message is no template here: a `%` in it is a percent sign
            self._logger.log(level, "%s", message, exc_info=traceback, extra=extra, stacklevel=3)


def logger(name: str, **fields: object) -> Logger:
    """The logger of a module, with `fields` in each of its records."""
    return Logger(logging.getLogger(name), fields)


def configure(
    level: Level = "info",
    format: Style = "console",  # noqa: A002 (named as in the settings)
    stream: TextIO | None = None,
) -> None:
    """Send all records of the process to `stream` (standard error by default), replacing what was set up before.

    Exceptions that nobody catches, in any thread, are logged too instead of being printed as they are, since a
    traceback may show an address with its password.
    """
    target = sys.stderr if stream is None else stream
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    root.addHandler(_handler(format, target))
    root.setLevel(level.upper())
    for chatty in ("httpx", "httpcore", "asyncio", "uvicorn", "alembic"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _handler(style: Style, stream: TextIO) -> logging.Handler:
    handler: logging.Handler
    if style == "json":
        handler = logging.StreamHandler(stream)
        handler.setFormatter(JsonFormatter())
    elif stream.isatty():
        from rich.console import Console
        from rich.logging import RichHandler

        handler = RichHandler(console=Console(file=stream, emoji=False), show_path=False, log_time_format="%H:%M:%S")
        handler.setFormatter(ConsoleFormatter("%(message)s"))
    else:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(ConsoleFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    return handler


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """The fields of a record as JSON values, without secrets."""
    return {name: _shown(value) for name, value in vars(record).items() if name not in _OWN}


def _shown(value: object) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return scrub(str(value))


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time (UTC, ISO 8601), level, logger, message, the fields, a traceback as `error`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a newline."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": scrub(record.getMessage()),
            **fields_of(record),
        }
        if record.exc_info:
            line["error"] = scrub(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class ConsoleFormatter(logging.Formatter):
    """For people: the message, then the fields as `name=value`, then a traceback."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        """The line, its fields at the end."""
        fields = "".join(f" {name}={value}" for name, value in fields_of(record).items())
        return super().formatMessage(record) + fields

    def format(self, record: logging.LogRecord) -> str:
        """All lines of the record, without secrets."""
        record.exc_text = None  # another formatter may have left one that is not scrubbed
        return scrub(super().format(record))


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("detector").critical("stopped by an unexpected error", exc_info=(kind, error, traceback))


def _log_uncaught_in_thread(hook: threading.ExceptHookArgs) -> None:
    if hook.exc_value is not None and not issubclass(hook.exc_type, SystemExit):
        logging.getLogger("detector").critical(
            "a thread was stopped by an unexpected error",
            exc_info=(hook.exc_type, hook.exc_value, hook.exc_traceback),
            extra={"in_thread": hook.thread.name if hook.thread else None},
        )
