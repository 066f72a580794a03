"""What a real worker tells of itself: every metric that the documents name, readiness, and logs with ids."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.drawn import colour_bundle, write_clip
from tests.acceptance.test_whole_line import SECRET, Running, write_settings
from tests.delivery.receiver import receiver
from tests.worker.doubles import until

NAMED = {
    "frame age": "detector_frame_age_seconds",
    "looks by status": "detector_looks_total",
    "drops": "detector_frames_dropped_total",
    "batch size": "detector_batch_size",
    "inference time": "detector_inference_seconds",
    "open problems": "detector_open_problems",
    "outbox depth": "detector_outbox_depth",
    "oldest undelivered": "detector_oldest_undelivered_seconds",
    "breaker state": "detector_endpoint_breaker",
    "coverage": "detector_coverage_ratio",
}


def test_metrics_readiness_and_logs_of_a_worker(tmp_path: Path, root: Path) -> None:
    clip = write_clip(tmp_path / "street.mp4", 20, range(4, 20))
    cameras: list[dict[str, object]] = [
        {"id": "gate", "url": str(clip)},
        {"id": "dead", "url": "rtsp://127.0.0.1:1/x", "mode": "patrol", "period": 1},
    ]
    with receiver() as bureau:
        path = write_settings(tmp_path, cameras, bureau.url, colour_bundle(tmp_path / "colours"))
        running = Running(path)
        try:
            running.wait_for("watching 2 cameras")
            address = re.search(r"(http://127\.0\.0\.1:\d+)", running.log.read_text())
            assert address is not None
            assert until(lambda: len(set(bureau.ids)) == 2), running.log.read_text()  # opened, and the dead camera
            assert httpx.get(f"{address[1]}/healthz").json() == {"status": "ok"}
            assert httpx.get(f"{address[1]}/readyz").json()["status"] == "ready"
            assert until(lambda: 'status="unreachable"} 0' not in httpx.get(f"{address[1]}/metrics").text)
            assert until(lambda: 'status="ok"} 20.0' in httpx.get(f"{address[1]}/metrics").text)  # the clip's last
            text = httpx.get(f"{address[1]}/metrics").text
            assert httpx.get(f"{address[1]}/cameras.json").json()["patrol"] == {"cameras": 1, "coverage": 0.0}
        finally:
            assert running.end() == 0
    families = {family.name for family in text_string_to_metric_families(text)}
    told = families | {f"{name}_total" for name in families}
    assert {what: name for what, name in NAMED.items() if name not in told} == {}
    documented = set(re.findall(r"detector_\w+", (root / "docs" / "operations.md").read_text()))
    assert documented - told == set()
    values = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert values["detector_open_problems", (("category", "exposed_garbage"),)] == 1
    assert values["detector_endpoint_breaker", (("endpoint", "desk"), ("state", "closed"))] == 1
    assert values["detector_coverage_ratio", ()] == 0, "the one patrolled camera is dead"
    assert values["detector_looks_total", (("status", "ok"),)] == 20
    lines = [json.loads(line) for line in running.log.read_text().splitlines()]
    [opened] = [line for line in lines if line["message"] == "problem.opened"]
    assert opened["camera_id"] == "gate"
    assert opened["event_id"] in bureau.ids
    assert opened["problem_id"]
    [ill] = [line for line in lines if line["message"] == "camera.health"]
    assert (ill["camera_id"], ill["event_id"] in bureau.ids) == ("dead", True)
    assert SECRET not in running.log.read_text()
