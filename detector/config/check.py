"""What `detector check` tells about settings that can be read but would not do what their author wants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from detector.config.categories import CategoriesFile, examine_categories
from detector.config.endpoint_check import check_endpoints, check_service_codes
from detector.config.finding import Finding, Severity, did_you_mean, written_key
from detector.config.marked_yaml import Document, KeyPath
from detector.config.moving_check import check_moving
from detector.config.rule_check import check_rules
from detector.config.rulebook import examine_rulebook
from detector.config.settings import Settings
from detector.config.values import scheme_of
from detector.core.category import Light


def check_settings(
    settings: Settings, model_labels: Sequence[str] | None = None, today: date | None = None
) -> list[Finding]:
    """Look for what reading alone cannot find; an error keeps the detector from working, a warning does not.

    `model_labels`: the labels of the model in `settings.model.path`; None when it could not be opened, then labels are
    not compared. `today`: permits that ended before it are told.
    """
    document = settings.document or Document(Path("settings"))
    findings = [
        *_files(settings, document),
        *_cameras(settings, document),
        *check_moving(settings, document),
        *check_endpoints(settings, document),
        *_evidence(settings, document),
    ]
    categories, file = examine_categories(settings.categories)
    findings += categories.findings
    if file is not None:
        findings += _retention(settings, document, file)
        findings += check_service_codes(settings, document, file)
        examined = examine_rulebook(settings, file)
        findings += examined.findings
        findings += check_rules(settings, examined, file, today)
        kinds = frozenset(zone.kind for zone, _, _ in examined.zones.found.values())
        findings += _needs(categories, file, kinds)
        findings += _daylight(settings, document, file)
        if model_labels is not None:
            findings += _labels(categories, file, model_labels)
    return findings


def _found(
    document: Document,
    path: KeyPath,
    message: str,
    suggestion: str | None = None,
    severity: Severity = "warning",
) -> Finding:
    mark = document.mark(path)
    return Finding(mark.file, mark.line, written_key(path), message, suggestion, severity)


def _files(settings: Settings, document: Document) -> Iterator[Finding]:
    if not settings.model.path.is_dir():
        yield _found(
            document,
            ("model", "path"),
            f"there is no model bundle at {settings.model.path}",
            "name a folder that holds manifest.json",
            "error",
        )
    for index, logo in enumerate(settings.sampling.logos):
        if not logo.is_file():
            yield _found(document, ("sampling", "logos", index), f"there is no picture {logo}", severity="error")
    for index, camera in enumerate(settings.cameras):
        address = camera.url.get_secret_value()
        if camera.enabled and scheme_of(address) is None and not Path(address).exists():
            yield _found(document, ("cameras", index, "url"), f"there is no file or folder {address}")


def _cameras(settings: Settings, document: Document) -> Iterator[Finding]:
    active = [camera for camera in settings.cameras if camera.enabled]
    if not active:
        if settings.intake.tokens:
            yield _found(
                document, ("cameras",), "no camera is enabled: `detector run` refuses, `detector intake` works"
            )
        else:
            yield _found(document, ("cameras",), "no camera is enabled: there is nothing to look at", severity="error")
    addresses: dict[str, str] = {}
    for index, camera in enumerate(settings.cameras):
        first = addresses.setdefault(camera.url.get_secret_value(), camera.id)
        if first != camera.id:
            yield _found(
                document,
                ("cameras", index, "url"),
                f"is the address of camera {first} too: each of its problems will be found twice",
            )
        mode = settings.plan(camera).mode
        if mode == "stream" and camera.period is not None:
            yield _found(document, ("cameras", index, "period"), "has no effect in mode stream", "use interval")
        if mode == "patrol" and camera.interval is not None:
            yield _found(document, ("cameras", index, "interval"), "has no effect in mode patrol", "use period")
        if camera.started_at is not None and scheme_of(camera.url.get_secret_value()) is not None:
            yield _found(document, ("cameras", index, "started_at"), "has no effect on a live camera")
    plans = [settings.plan(camera) for camera in active]
    visits = sum(1 / plan.period.total_seconds() for plan in plans if plan.mode == "patrol")
    if visits > settings.patrol.opens_per_second:
        yield _found(
            document,
            ("patrol", "opens_per_second"),
            f"the patrolled cameras ask for {visits:.1f} visits per second, only"
            f" {settings.patrol.opens_per_second:g} are allowed: periods will be missed",
            "raise it, lengthen the period, or share the cameras among more workers",
        )


def _evidence(settings: Settings, document: Document) -> Iterator[Finding]:
    if settings.endpoints and settings.evidence.public_url is None:
        yield _found(
            document,
            ("evidence", "public_url"),
            "is not set: events will name pictures by a path that other machines cannot open",
            severity="note",
        )


def _retention(settings: Settings, document: Document, file: CategoriesFile) -> Iterator[Finding]:
    for category in settings.evidence.keep_days_by_category:
        if category not in file.categories:
            yield _found(
                document,
                ("evidence", "keep_days_by_category", category),
                "is no category",
                did_you_mean(category, file.categories),
                "error",
            )


def _needs(document: Document, file: CategoriesFile, kinds: frozenset[str]) -> Iterator[Finding]:
    """Categories that a zone must complete while no zone of that kind exists."""
    for key, category in file.categories.items():
        if not category.enabled or category.needs is None:
            continue
        kind = category.needs.partition(":")[2]
        if kind not in kinds:
            message = f"no zone is of kind {kind}: it is a case nowhere, unless a rule says so"
            yield _found(document, ("categories", key, "needs"), message, severity="note")


def _daylight(settings: Settings, document: Document, file: CategoriesFile) -> Iterator[Finding]:
    """Cameras over which nobody knows where the sun stands: one note for all of them."""
    by_day = [key for key, category in file.categories.items() if category.enabled and category.light is Light.DAY]
    active = [camera for camera in settings.cameras if camera.enabled]
    unplaced = [camera.id for camera in active if camera.position is None and not camera.moving]
    if by_day and unplaced:
        named = ", ".join(unplaced[:3]) + (", ..." if len(unplaced) > 3 else "")
        yield _found(
            document,
            ("cameras",),
            f"{len(unplaced)} of {len(active)} cameras have no position ({named}): what is told by day only"
            f" ({', '.join(by_day)}) is judged there by night too",
            "give their latitude and longitude",
            "note",
        )


def _labels(document: Document, file: CategoriesFile, labels: Sequence[str]) -> Iterator[Finding]:
    judged = 0
    for key, category in file.categories.items():
        if not category.enabled:
            continue
        made = any(label in labels for label in category.labels)
        judged += made
        for index, label in enumerate(category.labels):
            if label not in labels:
                yield _found(
                    document,
                    ("categories", key, "labels", index),
                    f'the model has no label "{label}"' + ("" if made else f": it sees nothing of {key}"),
                    did_you_mean(label, labels),
                )
    if judged == 0:
        yield _found(
            document,
            ("categories",),
            f"no category is made of a label that the model has ({', '.join(labels)})",
            severity="error",
        )
