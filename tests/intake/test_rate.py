from __future__ import annotations

import pytest

from detector.intake import rate
from detector.intake.rate import RateLimit


def test_so_many_and_then_one_by_one() -> None:
    now = [0.0]
    limit = RateLimit(6, lambda: now[0])
    assert [limit.wait_s("a") for _ in range(6)] == [0.0] * 6
    assert limit.wait_s("a") == pytest.approx(10.0)
    assert limit.wait_s("b") == 0.0
    now[0] = 9.0
    assert limit.wait_s("a") == pytest.approx(1.0)
    now[0] = 10.0
    assert limit.wait_s("a") == 0.0
    assert limit.wait_s("a") == pytest.approx(10.0)
    now[0] = 10_000.0
    assert [limit.wait_s("a") > 0 for _ in range(7)] == [False] * 6 + [True]


def test_it_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "_MOST_KNOWN", 3)
    limit = RateLimit(1, lambda: 0.0)
    for number in range(100):
        assert limit.wait_s(f"s{number}") == 0.0
    assert len(limit._left) == 3
