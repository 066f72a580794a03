"""Writing a camera list: rows are added or replaced by id, and the file is exchanged whole or not at all."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.config.camera_list import CameraList, read_camera_list
from detector.config.marked_yaml import Document
from detector.config.validating import validate
from detector.errors import ConfigError

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the rows that were given."""

    added: tuple[str, ...]  # camera ids
    changed: tuple[str, ...]
    same: tuple[str, ...]


def rows_of(file: Path, environment: Mapping[str, str]) -> list[Row]:
    """The rows of a camera list as they stand there, `${NAME}` and all, after checking each.

    Raises ConfigError naming file, line and column of everything that is wrong.
    """
    document = read_camera_list(file)
    if not document.findings:
        validate(document, CameraList, environment)
    if document.findings:
        raise ConfigError("\n".join(str(finding) for finding in document.in_order()))
    return list(document.data["cameras"])


def put_rows(file: Path, rows: Sequence[Row], environment: Mapping[str, str]) -> Written:
    """Add `rows` to the list `file` (made if it is not there); a row whose id is there replaces that one.

    Raises ConfigError when a row or the file is wrong, and then the file is as it was.
    """
    present = {row["id"]: row for row in rows_of(file, environment)} if file.exists() else {}
    added: list[str] = []
    changed: list[str] = []
    same: list[str] = []
    for row in rows:
        old = present.get(row["id"])
        (added if old is None else same if old == row else changed).append(row["id"])
        present[row["id"]] = row
    _check(file, list(present.values()), environment)
    _write(file, list(present.values()))
    return Written(tuple(added), tuple(changed), tuple(same))


def _check(file: Path, rows: list[Row], environment: Mapping[str, str]) -> None:
    document = Document(file, {"cameras": [dict(row) for row in rows]})
    validate(document, CameraList, environment)
    if document.findings:
        raise ConfigError("\n".join(str(finding) for finding in document.in_order()))


def _write(file: Path, rows: list[Row]) -> None:
    columns = list(dict.fromkeys(["id", "name", "url", *(name for row in rows for name in row)]))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        # addresses may carry passwords: what others could not read before, they cannot read afterwards
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as out:
            out.write(text.getvalue())
            out.flush()
            os.fsync(out.fileno())
        partial.replace(file)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
