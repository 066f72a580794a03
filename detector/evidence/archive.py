"""Evidence pictures on disk: <root>/YYYY/MM/DD/<event id>.jpg, days in UTC."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from detector.errors import EvidenceError
from detector.evidence.picture import note_of

_EVENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_RELATIVE = re.compile(r"\d{4}/\d{2}/\d{2}/[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.jpg")
_HEAD = 66_000  # bytes that hold the note
_ABANDONED = timedelta(hours=1)  # a partial file this old belongs to nobody any more


@dataclass(frozen=True, slots=True)
class Purge:
    """What a retention run did."""

    deleted: int
    freed_bytes: int
    failed: tuple[str, ...] = ()  # relative paths that could not be deleted


class Archive:
    """The folder of evidence pictures."""

    def __init__(self, root: Path) -> None:
        """`root` is created when the first picture is written."""
        self.root = root

    def write(self, event_id: str, captured_at: datetime, jpeg: bytes) -> str:
        """Write a redacted picture and return its path relative to the root, with forward slashes.

        The file appears whole and on stable storage, or not at all; a second write replaces the first.
        Raises EvidenceError.
        """
        if captured_at.tzinfo is None:
            raise EvidenceError("captured_at must be an aware datetime")
        if not _EVENT_ID.fullmatch(event_id):
            raise EvidenceError(f"{event_id!r} cannot be a file name")
        folder = self.root / captured_at.astimezone(UTC).strftime("%Y/%m/%d")
        path = folder / f"{event_id}.jpg"
        partial = folder / f".{event_id}.{os.getpid()}.partial"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
            with open(descriptor, "wb") as stream:  # noqa: PTH123 - a descriptor with its own mode
                stream.write(jpeg)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(path)
            _sync_folder(folder)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise EvidenceError(f"{path}: cannot be written ({error.strerror})") from error
        return path.relative_to(self.root).as_posix()

    def locate(self, relative: str) -> Path:
        """The file of a path that `write` returned.

        Raises EvidenceError for anything else: other shapes, links leading outside, pictures that are gone.
        """
        if not _RELATIVE.fullmatch(relative):
            raise EvidenceError(f"{relative!r} is not the path of an evidence picture")
        try:
            path = (self.root / relative).resolve(strict=True)
        except OSError as error:
            raise EvidenceError(f"there is no evidence picture {relative}; it may have been deleted") from error
        if not path.is_relative_to(self.root.resolve()) or not path.is_file():
            raise EvidenceError(f"{relative!r} leads outside of the evidence folder")
        return path

    def read(self, relative: str) -> bytes:
        """Content of a picture. Raises EvidenceError as `locate`."""
        path = self.locate(relative)
        try:
            return path.read_bytes()
        except OSError as error:
            raise EvidenceError(f"{relative}: cannot be read ({error.strerror})") from error

    def purge(self, now: datetime, keep_days: Mapping[str, int], default_days: int) -> Purge:
        """Delete pictures older than their category's `keep_days`, or `default_days` for all others.

        Age counts from the capture day to `now` (aware). Pictures of unknown category count as others. Also removes
        what an interrupted write left behind, and empty folders. Meant to run daily, in any process.
        """
        shortest = min([default_days, *keep_days.values()])
        deleted = freed = 0
        failed: list[str] = []
        for day, folder in self._days():
            age = (now.astimezone(UTC).date() - day.date()).days
            for path in sorted(folder.iterdir()):
                due = _is_abandoned(path, now) or (
                    path.suffix == ".jpg" and age > shortest and age > keep_days.get(_category(path), default_days)
                )
                if not due:
                    continue
                try:
                    size = path.stat().st_size
                    path.unlink()
                except OSError:
                    failed.append(path.relative_to(self.root).as_posix())
                else:
                    deleted, freed = deleted + 1, freed + size
            _remove_if_empty(folder, self.root)
        return Purge(deleted, freed, tuple(failed))

    def _days(self) -> Iterator[tuple[datetime, Path]]:
        for folder in sorted(self.root.glob("[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]")):
            try:
                day = datetime.strptime(folder.relative_to(self.root).as_posix(), "%Y/%m/%d").replace(tzinfo=UTC)
            except ValueError:
                continue  # not a date, not ours
            yield day, folder


def _category(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return str(note_of(stream.read(_HEAD)).get("category", ""))
    except OSError:
        return ""


def _is_abandoned(path: Path, now: datetime) -> bool:
    if path.suffix != ".partial":
        return False
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) < now - _ABANDONED
    except OSError:
        return False


def _remove_if_empty(folder: Path, root: Path) -> None:
    while folder != root:
        try:
            folder.rmdir()
        except OSError:
            return  # not empty
        folder = folder.parent


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
