"""`detector run`, again and again, to be killed: forks the whole command for each line on its standard input.

Starting Python and reading its libraries takes longer than a run lives here, so a parent does that once; what is
forked has opened nothing: it reads the settings, opens model, redactor and database, listens, delivers and looks like
any other run. It says `started PID`, and `ended by SIGNAL` when it has ended (0: by itself). What a run logs is added
to `run.log` beside the settings.

A second argument makes it a worse product, which the test must notice:
`answers`: an event counts as delivered whatever the endpoint answers.
`transactions`: problem and event are written one after the other, and one run dies in between.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2  # noqa: F401 - read once, before the first fork
import onnxruntime  # noqa: F401

import detector.service  # noqa: F401
from detector.cli import main as detector_command
from detector.core.problem import ProblemStatus
from detector.delivery.lane import Lane
from detector.ports import Attempt
from detector.store import LookRecord, Store


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def believe_all_answers() -> None:
    tried = Lane._try

    def believed(self: Lane, delivery: Any) -> Attempt:
        return replace(tried(self, delivery), accepted=True)

    Lane._try = believed  # type: ignore[method-assign]


def write_in_two_transactions(died: Path) -> None:
    record_many = Store.record_many

    def in_two(self: Store, at: datetime, records: Iterable[LookRecord], *, owner: str | None = None) -> None:
        records = list(records)
        record_many(self, at, [replace(record, outbox=()) for record in records], owner=owner)
        opened = any(problem.status is ProblemStatus.OPEN for record in records for problem in record.problems)
        if opened and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        record_many(self, at, [LookRecord(outbox=record.outbox) for record in records], owner=owner)

    Store.record_many = in_two  # type: ignore[method-assign]


def run(settings: Path, worse: str) -> None:
    log = os.open(settings.parent / "run.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if worse == "answers":
        believe_all_answers()
    elif worse == "transactions":
        write_in_two_transactions(settings.parent / "died")
    sys.argv = ["detector", "run", str(settings)]
    detector_command()


def main() -> None:
    settings, worse = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                run(settings, worse)
            finally:
                os._exit(1)
        say(f"started {pid}")
        _, status = os.waitpid(pid, 0)
        say(f"ended by {os.WTERMSIG(status)}")


if __name__ == "__main__":
    main()
