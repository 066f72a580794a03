"""What the desk does by the clock: escalate what is due, close what cannot be seen or was left to itself, forget who
looked long ago.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from fastapi.concurrency import run_in_threadpool

from detector.desk.ledger import Ledger
from detector.errors import StoreError
from detector.evidence.access import AccessLog

log = logging.getLogger(__name__)

FORGET_EVERY_S = 86_400.0


async def escalate_for_ever(
    ledger: Ledger, clock: Callable[[], datetime], every_s: float, *, escalations: bool
) -> None:
    """Write down soon what is due by the clock; that a case is overdue is worked out whenever it is read."""
    while True:
        try:
            closed = await run_in_threadpool(ledger.waive, clock())
            if closed:
                log.info("%d cases closed without the word of cameras that cannot see", closed)
            given_up = await run_in_threadpool(ledger.give_up, clock())
            if given_up:
                log.info("%d cases closed of what has left and nobody decided on", given_up)
            written = await run_in_threadpool(ledger.escalate, clock()) if escalations else 0
            if written:
                log.info("%d escalations", written)
        except StoreError as error:
            log.error("overdue cases could not be escalated, tried again later: %s", error)
        await asyncio.sleep(every_s)


async def forget_for_ever(access_log: AccessLog, clock: Callable[[], datetime], keep_days: int) -> None:
    """Once a day, and at the start, delete the months of the access log whose time is over."""
    while True:
        try:
            gone = await run_in_threadpool(access_log.purge, clock(), keep_days)
            if gone:
                log.info("retention: %d months of the access log deleted", gone)
        except OSError as error:
            log.error("the access log could not be shortened, tried again tomorrow: %s", error.strerror)
        await asyncio.sleep(FORGET_EVERY_S)
