"""Verdicts are taken in once, wait for the worker that owns the camera, and are acted on once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from detector.core.verdict import Decision, Verdict
from detector.store import LookRecord, Store
from tests.store.making import a_problem

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_taken_in_once_and_acted_on_once(store: Store) -> None:
    store.record(NOW, [a_problem("p1"), a_problem("p2", camera_id="other")])
    rejected = Verdict("v1", "p1", Decision.REJECT, NOW, by="li", reason="legal_advert")
    later = Verdict("v2", "p1", Decision.CONFIRM, NOW + timedelta(minutes=1))
    elsewhere = Verdict("v3", "p2", Decision.RELABEL, NOW, category="graffiti")
    unknown = Verdict("v4", "nobody", Decision.MERGE, NOW, into="p1")
    for _ in range(2):
        store.add_verdicts(NOW, [later, rejected, elsewhere, unknown])
    camera = a_problem("p1").camera_id
    assert store.pending_verdicts([camera]) == [rejected, later]
    assert store.pending_verdicts([camera, "other"], limit=2) == [rejected, elsewhere]
    store.record_many(NOW, [LookRecord(verdicts=["v1"])])
    assert store.pending_verdicts([camera]) == [later]
    assert store.verdicts_about("p1") == [rejected, later]
