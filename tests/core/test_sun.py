"""The height of the sun against published values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from detector.core.geo import GeoPoint
from detector.core.sun import elevation_deg, is_day

CHINA = timezone(timedelta(hours=8))
BEIJING = GeoPoint(39.9042, 116.4074)
TROMSO = GeoPoint(69.6492, 18.9553)


def test_the_worked_example_of_another_algorithm() -> None:
    """Reda and Andreas, Solar Position Algorithm (NREL/TP-560-34302), appendix A.5: 39.872046 without refraction."""
    at = datetime(2003, 10, 17, 12, 30, 30, tzinfo=timezone(timedelta(hours=-7)))
    assert elevation_deg(GeoPoint(39.742476, -105.1786), at) == pytest.approx(39.872046, abs=0.02)


@pytest.mark.parametrize(
    ("local", "day"),
    [
        # the sun of midsummer rises at 4:46 and sets at 19:46, that of midwinter at 7:33 and 16:53
        ("2026-06-21 04:30", False),
        ("2026-06-21 05:00", True),
        ("2026-06-21 19:30", True),
        ("2026-06-21 20:00", False),
        ("2026-12-22 07:20", False),
        ("2026-12-22 07:50", True),
        ("2026-12-22 16:40", True),
        ("2026-12-22 17:10", False),
    ],
)
def test_sunrise_and_sunset(local: str, day: bool) -> None:
    assert is_day(BEIJING, datetime.fromisoformat(local).replace(tzinfo=CHINA)) is day


def test_beyond_the_polar_circle() -> None:
    hours = [timedelta(hours=n) for n in range(24)]
    assert not any(is_day(TROMSO, datetime(2026, 12, 21, tzinfo=UTC) + hour) for hour in hours)
    assert all(is_day(TROMSO, datetime(2026, 6, 21, tzinfo=UTC) + hour) for hour in hours)
