"""A disk that is honest about fsync: at a power cut only what had been synced is sure to be there.

SQLite writes through to a real file, and every operation is written down. `after_power_cut` plays the operations
back up to a moment and leaves out what no fsync covered: kill -9 cannot show that, since the kernel keeps the pages.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw


@dataclass(frozen=True, slots=True)
class Operation:
    """What was asked of a file: write (data at offset), truncate (to offset), sync or delete."""

    kind: str
    file: str  # name without folder
    offset: int = 0
    data: bytes = b""


@dataclass
class LosingDisk:
    """Registers itself with apsw as a VFS under `name` while it is in use."""

    name: str = "losing-disk"
    log: list[Operation] = field(default_factory=list)
    _vfs: apsw.VFS | None = None

    def __enter__(self) -> LosingDisk:
        self._vfs = _Vfs(self)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._vfs is not None
        self._vfs.unregister()

    def after_power_cut(self, moment: int, folder: Path, luck: random.Random | None = None) -> None:
        """Write into `folder` what the disk holds when the power fails after `moment` operations.

        luck: let each operation that was not synced happen or not, by chance; without it none of them happened.
        """
        past = self.log[:moment]
        synced: dict[str, int] = {}
        for position, operation in enumerate(past):
            if operation.kind in ("sync", "delete"):
                synced[operation.file] = position
        files: dict[str, bytearray] = defaultdict(bytearray)
        for position, operation in enumerate(past):
            sure = position <= synced.get(operation.file, -1)
            if sure or (luck is not None and luck.random() < 0.5):
                _apply(files, operation)
        for name, content in files.items():
            (folder / name).write_bytes(content)


def _apply(files: dict[str, bytearray], operation: Operation) -> None:
    if operation.kind == "delete":
        files.pop(operation.file, None)
        return
    content = files[operation.file]
    if operation.kind == "write":
        end = operation.offset + len(operation.data)
        content.extend(bytes(max(0, end - len(content))))
        content[operation.offset : end] = operation.data
    elif operation.kind == "truncate":
        del content[operation.offset :]
        content.extend(bytes(operation.offset - len(content)))


class _Vfs(apsw.VFS):
    def __init__(self, disk: LosingDisk) -> None:
        self._disk = disk
        super().__init__(disk.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802 - SQLite's own names here and below
        return _File(self._disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        self._disk.log.append(Operation("delete", Path(filename).name))


class _File(apsw.VFSFile):
    def __init__(self, disk: LosingDisk, name: Any, flags: list[int]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._disk, self._name = disk, Path(path).name if path else None
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._note("write", offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._note("truncate", newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._note("sync")

    def _note(self, kind: str, offset: int = 0, data: bytes = b"") -> None:
        if self._name is not None:
            self._disk.log.append(Operation(kind, self._name, offset, data))
