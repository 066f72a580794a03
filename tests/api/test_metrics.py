"""Metrics, as Prometheus reads them."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from detector.api.metrics import Gauges, Metrics
from detector.core.look import LookStatus


@dataclass
class Clock:
    """Time that moves when told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics(clock: Clock) -> Metrics:
    return Metrics(clock=clock)


def samples(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """(name, label values) -> value."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def test_looks_are_counted_by_outcome(metrics: Metrics) -> None:
    for status in (LookStatus.OK, LookStatus.OK, LookStatus.FROZEN):
        metrics.look("cam-1", status, 1.0)
    found = samples(metrics)
    assert found["detector_looks_total", ("ok",)] == 2
    assert found["detector_looks_total", ("frozen",)] == 1
    assert {labels for name, labels in found if name == "detector_looks_total"} == {
        (status.value,) for status in LookStatus
    }


def test_a_silent_camera_grows_old(metrics: Metrics, clock: Clock) -> None:
    metrics.look("cam-1", LookStatus.OK, 2.0)
    assert samples(metrics)["detector_frame_age_seconds", ("cam-1",)] == 2
    clock.now += 58
    metrics.look("cam-1", LookStatus.UNREACHABLE, 0.0)
    found = samples(metrics)
    assert found["detector_frame_age_seconds", ("cam-1",)] == 60
    assert found["detector_cameras_by_frame_age", ("10",)] == 0
    assert found["detector_cameras_by_frame_age", ("60",)] == 1
    metrics.look("cam-1", LookStatus.DARK, 1.0)
    assert samples(metrics)["detector_frame_age_seconds", ("cam-1",)] == 1


def test_an_older_frame_that_comes_late_changes_nothing(metrics: Metrics) -> None:
    metrics.look("cam-1", LookStatus.OK, 1.0)
    metrics.look("cam-1", LookStatus.OK, 30.0)
    metrics.look("cam-1", LookStatus.OK, -5.0)  # the camera's clock is ahead of ours
    assert samples(metrics)["detector_frame_age_seconds", ("cam-1",)] == 0


def test_a_huge_fleet_does_not_make_as_many_series(clock: Clock) -> None:
    metrics = Metrics(camera_limit=3, clock=clock)
    for number in range(50):
        metrics.look(f"cam-{number}", LookStatus.OK, float(number))
        metrics.dropped(f"cam-{number}")
    found = samples(metrics)
    ages = {labels[0]: age for (name, labels), age in found.items() if name == "detector_frame_age_seconds"}
    assert ages == {"cam-0": 0, "cam-1": 1, "cam-2": 2, "(others)": 49}
    assert found["detector_frames_dropped_total", ("(others)",)] == 47
    assert found["detector_cameras_by_frame_age", ("10",)] == 11
    assert found["detector_cameras_by_frame_age", ("any",)] == 50
    metrics.forget("cam-1")
    metrics.forget("cam-49")
    found = samples(metrics)
    assert ("detector_frame_age_seconds", ("cam-1",)) not in found
    assert found["detector_frame_age_seconds", ("(others)",)] == 48


def test_batches(metrics: Metrics) -> None:
    metrics.batch(3, 0.04)
    metrics.batch(8, 0.2)
    found = samples(metrics)
    assert found["detector_batch_size_sum", ()] == 11
    assert found["detector_batch_size_bucket", ("4.0",)] == 1
    assert found["detector_inference_seconds_count", ()] == 2
    assert found["detector_inference_seconds_sum", ()] == pytest.approx(0.24)


def test_values_of_the_moment(metrics: Metrics) -> None:
    assert not [name for name, _ in samples(metrics) if "outbox" in name or "coverage" in name]
    depth = {"desk": 3}
    metrics.watch(
        Gauges(
            open_problems=lambda: {"exposed_garbage": 2},
            outbox_depth=lambda: depth,
            oldest_undelivered_s=lambda: 12.5,
            breakers=lambda: {"desk": "open"},
            coverage=lambda: 0.972,
            open_streams=lambda: 4,
        )
    )
    found = samples(metrics)
    assert found["detector_open_problems", ("exposed_garbage",)] == 2
    assert found["detector_outbox_depth", ("desk",)] == 3
    assert found["detector_oldest_undelivered_seconds", ()] == 12.5
    assert found["detector_coverage_ratio", ()] == 0.972
    assert found["detector_open_streams", ()] == 4
    assert [found["detector_endpoint_breaker", ("desk", s)] for s in ("closed", "half_open", "open")] == [0, 0, 1]
    depth["desk"] = 4
    assert samples(metrics)["detector_outbox_depth", ("desk",)] == 4


def test_one_value_that_cannot_be_had_does_not_cost_the_others(
    metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> float:
        raise OSError("cannot reach rtsp://admin:canary@10.0.0.1/s")

    metrics.watch(Gauges(oldest_undelivered_s=broken, coverage=lambda: 0.5))
    found = samples(metrics)
    assert found["detector_coverage_ratio", ()] == 0.5
    assert ("detector_oldest_undelivered_seconds", ()) not in found
    assert found["detector_scrape_errors_total", ("oldest_undelivered_seconds",)] == 1
    assert "canary" not in caplog.text


def test_two_workers_in_one_process_keep_their_own_counts() -> None:
    first, second = Metrics(), Metrics()
    first.batch(5, 0.1)
    assert samples(second)["detector_batch_size_count", ()] == 0


def test_counting_from_many_threads_loses_nothing(metrics: Metrics) -> None:
    def work(number: int) -> None:
        for step in range(500):
            metrics.look(f"cam-{step % 20}", LookStatus.OK, 0.1)
            metrics.dropped(f"cam-{number}")
            if step % 100 == 0:
                metrics.text()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = samples(metrics)
    assert found["detector_looks_total", ("ok",)] == 2000
    assert [found["detector_frames_dropped_total", (f"cam-{n}",)] for n in range(4)] == [500] * 4
