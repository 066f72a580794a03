"""Keep secrets out of text: logs, errors, metrics and listings see camera addresses only through here."""

from __future__ import annotations

import re

_URL = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]*://\S+")
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]+")
HIDDEN = "***"


def without_secrets(url: str) -> str:
    """Return `url` with user, password, query and fragment replaced, e.g. `rtsp://***@10.0.0.5/cam1?***`.

    Camera passwords stand in the user part and, with gateways, in the query (`?secret=`): both go, whole.
    Passwords are typed in raw, with `/`, `?`, `#` or `@` in them, so all up to the LAST `@` counts as user part; a
    host may get lost that way, a password may not. A text that is no URL is returned as it is.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    _, at, rest = rest.rpartition("@")
    path, mark, _ = rest.partition("?")
    path, hash_, _ = path.partition("#")
    shown = f"{scheme}://{HIDDEN}@{path}" if at else f"{scheme}://{path}"
    return f"{shown}?{HIDDEN}" if mark or hash_ else shown


def scrub(text: str) -> str:
    """Return `text` with every URL in it passed through `without_secrets` and webhook secrets hidden."""
    text = _URL.sub(lambda match: without_secrets(match.group()), text)
    return _WEBHOOK_SECRET.sub(f"whsec_{HIDDEN}", text)


def one_line(text: str, longest: int = 500) -> str:
    """Return `text` without secrets as one printable line of at most `longest` characters, fit to be stored and sent.

    What a library or another machine says can hold anything: line breaks, NUL, halves of surrogate pairs.
    """
    line = " ".join(scrub(text).split())
    return "".join(letter if letter.isprintable() else "?" for letter in line)[:longest]


def linkable(url: str) -> str:
    """An address as it may stand in a link: without user, password, query and fragment, e.g. `http://10.0.0.7:8800/`.

    As without_secrets has it: all up to the last `@` goes.
    """
    return without_secrets(url).replace(f"{HIDDEN}@", "", 1).partition(f"?{HIDDEN}")[0]
