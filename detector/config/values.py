"""Kinds of values that configuration files are made of: durations, places on disk, secrets, time zones."""

from __future__ import annotations

import base64
import binascii
import os
import re
import zoneinfo
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
)

from detector.config.finding import did_you_mean

_UNITS_S = {
    "ms": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
}
_PART = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)")
_SECONDS = re.compile(r"\s*[0-9]+(?:\.[0-9]+)?\s*$")
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def parse_duration(value: object) -> timedelta:
    """A duration from "30s", "10 min", "1h 30min", "5 days" or a number of seconds.

    Raises ValueError for anything else; `m` alone is refused, as it may mean minutes or months.
    """
    if isinstance(value, timedelta):
        return value
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(value, (int, float, str)) and (number or _SECONDS.match(str(value))):
        seconds = float(value)
    elif isinstance(value, str) and value.strip():
        seconds = _sum_of_parts(value)
    else:
        raise ValueError('must be a duration such as "30s", "10 min", "2h" or a number of seconds')
    if not 0 <= seconds < 1e11:
        raise ValueError("must be a duration that is not negative")
    return timedelta(seconds=seconds)


def _sum_of_parts(text: str) -> float:
    seconds, at = 0.0, 0
    lowered = text.strip().lower()
    while at < len(lowered):
        part = _PART.match(lowered, at)
        if part is None:
            break
        unit = part[2] if part[2] in _UNITS_S else part[2].removesuffix("s")
        if unit not in _UNITS_S:
            raise ValueError(f'"{part[2]}" is no unit of time; use ms, s, min, h or d')
        seconds += float(part[1]) * _UNITS_S[unit]
        at = part.end()
    if at < len(lowered):
        raise ValueError('must be a duration such as "30s", "10 min", "2h" or a number of seconds')
    return seconds


def written_duration(value: timedelta) -> str:
    """The shortest way to write a duration that `parse_duration` reads back, e.g. `10 min`."""
    seconds = value.total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + " s"


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than 0")
    return value


_DURATION_SCHEMA = {
    "anyOf": [{"type": "string", "pattern": r"^\s*[0-9]"}, {"type": "number", "minimum": 0}],
    "examples": ["30s", "10 min", "2h", "5 days", 90],
}
Duration = Annotated[timedelta, BeforeValidator(parse_duration), WithJsonSchema({**_DURATION_SCHEMA})]
"""A length of time, zero allowed."""
PositiveDuration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    AfterValidator(_positive),
    WithJsonSchema({**_DURATION_SCHEMA}),
]
"""A length of time above zero."""


def folder_of(info: ValidationInfo) -> Path:
    """The folder that relative paths start from: that of the file being read."""
    context: Mapping[str, Any] = info.context or {}
    return Path(context.get("folder", ""))


def environment_of(info: ValidationInfo) -> Mapping[str, str]:
    """The environment variables that `${NAME}` may name."""
    context: Mapping[str, Any] = info.context or {}
    environment: Mapping[str, str] = context.get("environment", os.environ)
    return environment


def _located(value: Path, info: ValidationInfo) -> Path:
    return folder_of(info) / value.expanduser()


Location = Annotated[Path, AfterValidator(_located)]
"""A file or folder; relative to the file that names it."""


def fill_in(text: str, environment: Mapping[str, str]) -> str:
    """Replace each `${NAME}` by that environment variable.

    Raises ValueError naming the variables that are not set.
    """
    missing = sorted({name for name in _REFERENCE.findall(text) if name not in environment})
    if missing:
        raise ValueError(f"environment variable {', '.join(missing)} is not set")
    return _REFERENCE.sub(lambda reference: environment[reference[1]], text)


def _filled(value: object, info: ValidationInfo) -> object:
    return fill_in(value, environment_of(info)) if isinstance(value, str) else value


Filled = Annotated[str, BeforeValidator(_filled)]
"""Text in which `${NAME}` stands for an environment variable."""


def scheme_of(address: str) -> str | None:
    """`rtsp` for `rtsp://host/path`, lower case; None for a path."""
    match = _SCHEME.match(address)
    return match[1].lower() if match else None


STREAM_SCHEMES = frozenset({"rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "tcp"})
"""Schemes of live addresses; anything without a scheme, or `file`, is a file or a folder of pictures."""


def _camera_address(value: object, info: ValidationInfo) -> object:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if not isinstance(value, str):
        return value
    address = fill_in(value.strip(), environment_of(info))
    scheme = scheme_of(address)
    if scheme is None or scheme == "file":
        path = Path(address[len("file://") :] if scheme else address)
        return str(folder_of(info) / path.expanduser())
    if scheme not in STREAM_SCHEMES:
        hint = did_you_mean(scheme, STREAM_SCHEMES)
        known = ", ".join(sorted(STREAM_SCHEMES))
        raise ValueError(f'"{scheme}" is no scheme of a camera ({known}); {hint or "check it"}')
    return address


CameraAddress = Annotated[SecretStr, BeforeValidator(_camera_address), Field(min_length=1)]
"""Address of a stream, or path of a video file or picture folder; hidden, as it may hold a password."""


def _endpoint_address(value: object, info: ValidationInfo) -> object:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if not isinstance(value, str):
        return value
    address = fill_in(value.strip(), environment_of(info))
    if scheme_of(address) not in {"http", "https", "mqtt", "mqtts"} or not address.partition("://")[2]:
        raise ValueError("must be an http:// or https:// address")
    return address


EndpointAddress = Annotated[SecretStr, BeforeValidator(_endpoint_address)]
"""Where events are sent; hidden, as it may hold a token."""


def _signing_secret(value: object, info: ValidationInfo) -> object:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if not isinstance(value, str):
        return value
    if value.startswith("file:"):
        path = folder_of(info) / Path(value[len("file:") :]).expanduser()
        try:
            secret = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ValueError(f"secret file {path} cannot be read") from None
    else:
        secret = fill_in(value, environment_of(info)).strip()
    _check_signing_secret(secret)
    return secret


def _check_signing_secret(secret: str) -> None:
    """Standard Webhooks 1.0.0: `whsec_` and base64 of 24 to 64 bytes."""
    if not secret.startswith("whsec_"):
        raise ValueError("a signing secret starts with whsec_ (Standard Webhooks)")
    try:
        size = len(base64.b64decode(secret[len("whsec_") :], validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("what follows whsec_ in a signing secret must be base64") from None
    if not 24 <= size <= 64:
        raise ValueError(f"a signing secret has 24 to 64 bytes, this one {size}")


SigningSecret = Annotated[SecretStr, BeforeValidator(_signing_secret)]
"""A webhook signing secret: `${NAME}` (environment), `file:PATH`, or the secret itself; hidden."""


def _timezone(value: str) -> str:
    if value not in zoneinfo.available_timezones():
        hint = did_you_mean(value, zoneinfo.available_timezones())
        raise ValueError(f'"{value}" is no IANA time zone; {hint or "e.g. Asia/Shanghai"}')
    return value


Timezone = Annotated[str, AfterValidator(_timezone), Field(examples=["Asia/Shanghai"])]
"""An IANA time zone name."""
