"""Just enough of a DBAPI driver over apsw for SQLAlchemy's SQLite dialect: only apsw lets a test be the disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import apsw

apilevel, paramstyle, threadsafety = "2.0", "qmark", 1
sqlite_version_info = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
Binary = bytes
Error = apsw.Error
InterfaceError = DataError = DatabaseError = OperationalError = NotSupportedError = apsw.Error
InternalError = ProgrammingError = apsw.Error
IntegrityError = apsw.ConstraintError


def connect(path: str, vfs: str) -> Connection:
    return Connection(apsw.Connection(path, vfs=vfs))


class Connection:
    isolation_level: str | None = None

    def __init__(self, inner: apsw.Connection) -> None:
        self.inner = inner

    def cursor(self) -> Cursor:
        return Cursor(self.inner)

    def commit(self) -> None:
        if self.inner.in_transaction:
            self.inner.execute("COMMIT")

    def rollback(self) -> None:
        if self.inner.in_transaction:
            self.inner.execute("ROLLBACK")

    def create_function(self, name: str, args: int, function: Any, **_: Any) -> None:
        self.inner.create_scalar_function(name, function, args)

    def close(self) -> None:
        self.inner.close()


class Cursor:
    arraysize = 1
    rowcount = -1
    description: Sequence[Any] | None = None

    def __init__(self, inner: apsw.Connection) -> None:
        self._inner = inner
        self._rows: list[Any] = []

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Cursor:
        return self.executemany(statement, [parameters])

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> Cursor:
        before = self._inner.total_changes()
        self.description = None
        cursor = self._inner.cursor()
        cursor.exec_trace = self._describe
        self._rows = list(cursor.executemany(statement, parameters))
        self.rowcount = self._inner.total_changes() - before
        return self

    def _describe(self, cursor: apsw.Cursor, _statement: str, _parameters: object) -> bool:
        self.description = [(*column[:2], None, None, None, None, None) for column in cursor.get_description()] or None
        return True

    @property
    def lastrowid(self) -> int:
        return self._inner.last_insert_rowid()

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[Any]:
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[Any]:
        taken, self._rows = self._rows, []
        return taken

    def close(self) -> None:
        self._rows = []
