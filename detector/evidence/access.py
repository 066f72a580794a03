"""Who opened which evidence picture: an append-only log, one JSON object a line, one file a month."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from detector.errors import ConfigError, EvidenceError

LEAST_DAYS = 180
_FILE = re.compile(r"access-(\d{4})-(\d{2})\.jsonl")


class AccessLog:
    """Written BEFORE a picture is handed out: what cannot be logged is not shown."""

    def __init__(self, folder: Path) -> None:
        """`folder` is created at the first line."""
        self._folder = folder

    def record(self, who: str, picture: str, at: datetime, *, address: str = "", purpose: str = "") -> None:
        """Append one line and bring it to stable storage.

        `who`: account of the person or system. `picture`: relative path in the archive. `at`: aware.
        Raises EvidenceError when it cannot be written; then do not show the picture.
        """
        at = at.astimezone(UTC)
        entry = {"at": at.isoformat(timespec="milliseconds"), "who": who, "picture": picture}
        entry |= {key: value for key, value in (("address", address), ("purpose", purpose)) if value}
        line = (json.dumps(entry, ensure_ascii=False) + "\n").encode()
        path = self._folder / f"access-{at:%Y-%m}.jsonl"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, line)  # one write: lines of several processes do not mix
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise EvidenceError(f"{path}: access could not be logged ({error.strerror}), picture withheld") from error

    def purge(self, now: datetime, keep_days: int = LEAST_DAYS) -> int:
        """Delete months that ended more than `keep_days` before `now` (aware); returns how many files went.

        Raises ConfigError when asked to keep less than 180 days.
        """
        if keep_days < LEAST_DAYS:
            raise ConfigError(f"the access log is kept at least {LEAST_DAYS} days, not {keep_days}")
        gone = 0
        for path in sorted(self._folder.glob("access-*.jsonl")):
            match = _FILE.fullmatch(path.name)
            if match is None:
                continue
            year, month = int(match[1]), int(match[2])
            ended = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
            if (now.astimezone(UTC) - ended).days > keep_days:
                path.unlink(missing_ok=True)
                gone += 1
        return gone
