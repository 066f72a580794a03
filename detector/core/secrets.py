"""Keep secrets out of text: logs, errors, metrics and listings see camera addresses only through here."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_URL = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s'\"<>]+")
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]+")
HIDDEN = "***"


def without_secrets(url: str) -> str:
    """Return `url` with user, password, query and fragment replaced, e.g. `rtsp://***@10.0.0.5/cam1?***`.

    Camera passwords stand in the user part and, with gateways, in the query (`?secret=`): both go, whole.
    A text that is no URL is returned as it is.
    """
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{url.split('://', 1)[0]}://{HIDDEN}"
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{HIDDEN}@{host}" if "@" in parts.netloc else host
    return urlunsplit((parts.scheme, netloc, parts.path, HIDDEN if parts.query else "", ""))


def scrub(text: str) -> str:
    """Return `text` with every URL in it passed through `without_secrets` and webhook secrets hidden."""
    text = _URL.sub(lambda match: without_secrets(match.group()), text)
    return _WEBHOOK_SECRET.sub(f"whsec_{HIDDEN}", text)
