"""Each setting is either taken at once or told to wait; none is silently ignored."""

from __future__ import annotations

from detector.assembly.reloading import AT_THE_NEXT_START, TAKEN_AT_ONCE, waits
from detector.config import Settings
from detector.config.settings import ModelSettings


def test_every_setting_is_taken_or_told_to_wait() -> None:
    assert set(Settings.model_fields) == TAKEN_AT_ONCE | AT_THE_NEXT_START.keys()
    assert not TAKEN_AT_ONCE & AT_THE_NEXT_START.keys()
    assert set(ModelSettings.model_fields) - (AT_THE_NEXT_START["model"] or set()) == {"path"}


def test_what_changed_and_waits_is_named_by_its_key() -> None:
    before = Settings()
    fresh = Settings(
        site="elsewhere",
        database="sqlite:////tmp/other.db",
        model=ModelSettings(batch_size=3),
        timezone="UTC",
    )
    assert list(waits(before, before)) == []
    assert list(waits(before, fresh)) == ["database", "model.batch_size", "site"]
