"""Put a model into production, and take it back.

    STORE/<name>                    the pointer: a symbolic link, exchanged atomically; the worker's `model.path`
    STORE/.bundles/<name>/<digest>/ bundles by the SHA-256 of their manifest, which pins the model and its golden
                                    picture; never changed
    STORE/<name>.history.jsonl      one line per promotion and rollback

A worker that looks at the pointer's target notices a promotion; the bundle it has opened stays where it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from detector.errors import BundleError
from detector.inference.bundle import CARD, MANIFEST, Bundle, Manifest, load_bundle
from detector.inference.seal import copy_bundle, write_manifest

BUNDLES = ".bundles"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the history."""

    at: str  # ISO 8601 with time zone
    action: str  # promote or rollback
    bundle: str  # digest of the bundle in force afterwards
    model_version: str  # its name@digest as written on events
    previous: str | None  # digest in force before
    passed: bool  # the gate's word; a forced promotion says False
    reasons: tuple[str, ...] = ()  # what the gate had against it
    note: str = ""  # why, in a person's words


def store_bundle(store: Path, candidate: Bundle, manifest: Manifest, card: str) -> Path:
    """Copy a bundle into the store with the given manifest and card; returns its folder there.

    The folder's name is the SHA-256 of the manifest. Raises BundleError when the copy is not whole.
    """
    staging = store / BUNDLES / manifest.name / f".staging-{os.getpid()}"
    shutil.rmtree(staging, ignore_errors=True)
    copy_bundle(candidate, staging)
    (staging / CARD).write_text(card, encoding="utf-8")
    write_manifest(staging, manifest)
    target = staging.with_name(bundle_digest(staging))
    if target.exists():
        shutil.rmtree(staging)
    else:
        staging.rename(target)
        _sync(target.parent)
    load_bundle(target)
    return target


def bundle_digest(folder: Path) -> str:
    """The content address of a bundle: SHA-256 of its manifest, 16 digits."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()[:16]


def promote(
    store: Path, name: str, bundle: Path, at: datetime, *, passed: bool, reasons: Sequence[str] = (), note: str = ""
) -> Step:
    """Move the pointer `store`/`name` to a bundle made by `store_bundle`, and write the history.

    Raises BundleError when the bundle is altered, or when something that is no pointer stands in its place.
    """
    loaded = load_bundle(bundle)
    before = current(store, name)
    _point(store / name, bundle)
    step = Step(
        at=at.isoformat(),
        action="promote",
        bundle=bundle.name,
        model_version=loaded.model_version,
        previous=before.name if before else None,
        passed=passed,
        reasons=tuple(reasons),
        note=note,
    )
    _append(store, name, step)
    return step


def rollback(store: Path, name: str, at: datetime, *, to: str | None = None, note: str = "") -> Step:
    """Go back to the bundle that was in force before the present one, or `to` the one of that digest.

    Raises BundleError when there is none, or when it was altered since; then nothing changes.
    """
    before = current(store, name)
    wanted = to or _earlier(store, name)
    folders = sorted((store / BUNDLES / name).glob(f"{wanted}*")) if wanted else []
    if len(folders) != 1:
        known = ", ".join(dict.fromkeys(step.bundle for step in history(store, name)))
        raise BundleError(f"{store / name}: no bundle to go back to; the history knows: {known or 'nothing'}")
    loaded = load_bundle(folders[0])
    if bundle_digest(folders[0]) != folders[0].name:
        raise BundleError(f"{folders[0]}: the manifest was altered since it was stored")
    _point(store / name, folders[0])
    step = Step(
        at=at.isoformat(),
        action="rollback",
        bundle=folders[0].name,
        model_version=loaded.model_version,
        previous=before.name if before else None,
        passed=True,
        note=note,
    )
    _append(store, name, step)
    return step


def current(store: Path, name: str) -> Path | None:
    """The bundle in force; None when nothing was promoted yet."""
    pointer = store / name
    return pointer.resolve() if pointer.is_symlink() and pointer.exists() else None


def history(store: Path, name: str) -> tuple[Step, ...]:
    """All promotions and rollbacks, oldest first; raises BundleError naming a broken line."""
    path = _history_path(store, name)
    if not path.exists():
        return ()
    steps: list[Step] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            fields = json.loads(line)
            steps.append(Step(**(fields | {"reasons": tuple(fields["reasons"])})))
        except (ValueError, TypeError, KeyError) as error:
            raise BundleError(f"{path}:{number}: not a line of the history ({error})") from error
    return tuple(steps)


def _earlier(store: Path, name: str) -> str | None:
    """The bundle that the present one replaced: rolling back twice goes back two promotions."""
    stack: list[str] = []
    for step in history(store, name):
        if step.action == "promote":
            stack.append(step.bundle)
        elif step.bundle in stack:
            while stack[-1] != step.bundle:
                stack.pop()
        else:
            stack.append(step.bundle)
    return stack[-2] if len(stack) > 1 else None


def _point(pointer: Path, bundle: Path) -> None:
    if pointer.exists() and not pointer.is_symlink():
        raise BundleError(f"{pointer}: is a folder, not a pointer; choose another store, or move it away first")
    fresh = pointer.with_name(f".{pointer.name}.pointer")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(os.path.relpath(bundle, pointer.parent))
    fresh.replace(pointer)
    _sync(pointer.parent)


def _history_path(store: Path, name: str) -> Path:
    return store / f"{name}.history.jsonl"


def _append(store: Path, name: str, step: Step) -> None:
    with _history_path(store, name).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(step), ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
