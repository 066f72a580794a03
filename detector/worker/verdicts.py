"""Acting on what people decided about problems."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from detector.core.judging import reject
from detector.core.look import Look, LookStatus
from detector.core.problem import Problem, ProblemStatus
from detector.core.verdict import Decision
from detector.store import LookRecord, OutboxEntry, Store
from detector.worker.herald import Herald


def heed(store: Store, cameras: Collection[str], herald: Herald, silence: timedelta) -> LookRecord:
    """What the waiting verdicts about problems of these cameras change; not recorded yet.

    A rejected problem is dismissed, told so, and its place stays silent for `silence` from the decision on. All other
    decisions change nothing here: they stay in the store, where mining finds them.
    """
    problems: dict[str, Problem] = {}
    outbox: list[OutboxEntry] = []
    heeded: list[str] = []
    for verdict in store.pending_verdicts(cameras):
        heeded.append(verdict.id)
        problem = problems.get(verdict.problem_id) or store.problem(verdict.problem_id)
        if verdict.decision is not Decision.REJECT or problem is None or problem.status is ProblemStatus.DISMISSED:
            continue
        at = max(verdict.at, problem.last_looked)
        change = reject(problem, at, silence)
        problems[problem.id] = change.problem
        if change.event is not None:
            nothing_seen = Look(problem.camera_id, at, LookStatus.OK, size=problem.place.frame_size)
            outbox += herald.tell([change.event], nothing_seen, None)
    return LookRecord(list(problems.values()), outbox, verdicts=heeded)
