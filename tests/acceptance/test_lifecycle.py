"""Real street views with real rubbish: each heap is opened once, where it lies, and cleared after it has gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.config import load_settings
from detector.core.problem import Problem, ProblemStatus
from detector.service import Service
from detector.store import open_store
from detector.store.store import Store
from tests.acceptance.lifecycle import (
    CLEAR_S,
    CLIPS,
    CONFIRM_S,
    Truth,
    at_the_place,
    seconds_after,
    settings_file,
    truths,
)
from tests.servers.rtsp import RtspServer

SIZE = 672
"""What docs/operations.md advises for fixed cameras of 720p and more: a heap measures 110-150 px of the clips' 1280."""

MISSED_LOOKS_S = 12.0
"""No model sees a heap in every look, least behind passing traffic: so much later may its life cycle run."""


def wanted(shared: Path) -> list[Truth]:
    return [truth for clip in CLIPS for truth in truths(shared, clip)]


def run(path: Path, shared: Path, enough: Callable[[Service, int], bool], seconds: float) -> list[Problem]:
    """Run an installation until `enough` (told how many heaps are left to clear); check each as it was cleared."""
    settings = load_settings(path)
    service = Service(settings)
    service.start()
    waiter = threading.Event()
    heaps = wanted(shared)
    cleared: dict[Truth, Problem] = {}
    for _ in range(int(seconds * 4)):
        note_cleared(service.store, heaps, cleared)
        if enough(service, len(heaps) - len(cleared)):
            break
        waiter.wait(0.25)
    assert service.stop(), "everything seen was stored"
    store = open_store(settings.database)  # what stopping still judged belongs to the run
    note_cleared(store, heaps, cleared)
    problems, states = store.problems(limit=1000), store.camera_states()
    store.close()
    starts = {clip: states[clip].since for clip in CLIPS}  # the first look of each clip was ok and none was not
    for truth in heaps:
        start = starts[truth.clip]
        assert start is not None
        found = at_the_place(problems, truth)
        assert len(found) == 1, f"{truth}: {len(found)} problems were announced at its place"
        assert truth in cleared, f"{truth}: never cleared"
        problem = cleared[truth]
        assert problem.revision == 2, "opened once and cleared once"
        assert problem.rule == "category:exposed_garbage"
        assert (
            truth.appears_s <= seconds_after(start, problem.opened_at) <= truth.appears_s + CONFIRM_S + MISSED_LOOKS_S
        )
        assert truth.cleared_s < seconds_after(start, problem.cleared_at) <= truth.cleared_s + CLEAR_S + MISSED_LOOKS_S
    announced = sum(problem.revision for problem in problems)
    assert len(list((path.parent / "evidence").rglob("*.jpg"))) == announced, "one picture for each event"
    return problems


def note_cleared(store: Store, heaps: list[Truth], cleared: dict[Truth, Problem]) -> None:
    """Keep each heap's problem as it was when first found cleared: a clip that begins anew shows the heap again."""
    problems = store.problems(status=ProblemStatus.CLEARED, limit=1000)
    for truth in heaps:
        if truth not in cleared and (found := at_the_place(problems, truth)):
            cleared[truth] = found[0]


def test_files_as_fast_as_they_can_be_read(shared: Path, shipped: Path, tmp_path: Path) -> None:
    clips = {clip: str(shared / "clips" / "lifecycle" / f"{clip}.mp4") for clip in CLIPS}
    path = settings_file(tmp_path, clips, shipped, input_size=SIZE)
    run(path, shared, lambda service, _: service.finished(), seconds=300)


@pytest.mark.server
@pytest.mark.slow
def test_the_same_over_rtsp(shared: Path, shipped: Path, tmp_path: Path, rtsp_server: RtspServer) -> None:
    rtsp_server.start({clip: shared / "clips" / "lifecycle" / f"{clip}.mp4" for clip in CLIPS})
    path = settings_file(tmp_path, {clip: rtsp_server.url(clip) for clip in CLIPS}, shipped, input_size=SIZE)
    run(path, shared, lambda _, left: left == 0, seconds=140)
