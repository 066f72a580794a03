"""For ops: the cameras of an installation."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from detector.cli.installation import DEFAULT_CONFIG, ConfigOption, OptionalConfig
from detector.cli.output import ERR, OUT, Json, print_json, print_table
from detector.config import Settings, load_settings
from detector.config.finding import did_you_mean
from detector.core.health import CameraState
from detector.core.schedule import GRACE
from detector.core.secrets import without_secrets
from detector.errors import ConfigError

app = typer.Typer(help="Cameras: list, test, add, import.", no_args_is_help=True)


@app.command("list")
def list_(config: ConfigOption = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """List the cameras with their condition at the newest look; passwords are never shown.

    Where cameras are patrolled it ends with the share that gave a good picture within their period; in JSON each
    camera says so by `in_period`, which is null for streams and for what is not enabled.

    Examples:

      detector cameras list -c fleet.yaml --json
    """
    settings = load_settings(config)
    states, now = _states(config, settings), datetime.now(UTC)
    rows: list[dict[str, object]] = []
    covered: list[bool] = []
    for camera in settings.cameras:
        plan, state = settings.plan(camera), states.get(camera.id)
        in_period = None
        if plan.mode == "patrol" and camera.enabled:
            in_period = _covered(state, plan.period, now)
            covered.append(in_period)
        rows.append(
            {
                "id": camera.id,
                "name": camera.title,
                "url": without_secrets(camera.url.get_secret_value()),
                "mode": plan.mode,
                "every_s": (plan.interval if plan.mode == "stream" else plan.period).total_seconds(),
                "enabled": camera.enabled,
                "status": state.status if state else None,
                "since": state.since if state else None,
                "last_ok": state.last_ok if state else None,
                "reason": state.reason if state else None,
            }
            | ({"in_period": in_period} if as_json else {})
        )
    if as_json:
        print_json(rows)
        return
    print_table(tuple(rows[0]) if rows else (), [tuple(row.values()) for row in rows], "no cameras")
    if covered:
        share = 100 * sum(covered) / len(covered)
        OUT.print(f"looked at within its period: {share:.1f} % of {len(covered)} patrolled")


def _covered(state: CameraState | None, period: timedelta, now: datetime) -> bool:
    """Whether there was a good picture within the period, as far as the worker has written it down."""
    from detector.worker.deciding import KEEP_STATE_EVERY

    if state is None or state.last_ok is None:
        return False
    return now - state.last_ok <= period * GRACE + KEEP_STATE_EVERY


def _states(config: Path, settings: Settings) -> dict[str, CameraState]:
    """Newest conditions by camera id; none before the first start."""
    from detector.assembly import open_store_of
    from detector.store import file_of

    file = file_of(settings.database)
    if file is not None and not file.exists():
        return {}
    with open_store_of(config) as store:
        return store.camera_states()


@app.command()
def test(
    targets: Annotated[list[str] | None, typer.Argument(help="camera ids or addresses; none: all cameras")] = None,
    config: OptionalConfig = None,
    timeout: Annotated[float, typer.Option(min=0.5, help="seconds to wait for an answer, and for data")] = 5.0,
    as_json: Json = False,
) -> None:
    """Open cameras and tell codec, size, frame rate, keyframe distance and clock; exits with 1 if one fails.

    Examples:

      detector cameras test -c fleet.yaml east-gate

      detector cameras test rtsp://192.0.2.11/stream1
    """
    from detector.cli.examination import try_camera

    if config is None and not (targets and all(map(_is_address, targets))):
        config = DEFAULT_CONFIG  # where ids are looked up
    settings = None if config is None else load_settings(config)
    results = [try_camera(name, url, timeout) for name, url in _addresses(targets, settings)]
    if as_json:
        print_json(results)
    else:
        print_table(
            ("camera", "", "found", "advice"),
            [(r.what, "ok" if r.ok else "FAILS", r.found, r.advice) for r in results],
            "no cameras",
        )
    raise typer.Exit(0 if all(result.ok for result in results) else 1)


def _addresses(targets: list[str] | None, settings: Settings | None) -> list[tuple[str, str]]:
    known = {} if settings is None else {camera.id: camera.url.get_secret_value() for camera in settings.cameras}
    if not targets:
        return list(known.items())
    found = []
    for target in targets:
        if target in known:
            found.append((target, known[target]))
        elif _is_address(target):
            found.append((without_secrets(target), target))
        else:
            hint = did_you_mean(target, known) or f"of the settings (-c), which have {len(known)}"
            raise ConfigError(f"{target!r} is no address, no file and no camera; {hint}")
    return found


def _is_address(target: str) -> bool:
    return "://" in target or Path(target).exists()


@app.command("import")
def import_(
    csv_file: Annotated[Path, typer.Argument(help="CSV; its header names the keys of a camera: id, name, url, ...")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Take the cameras of a CSV file into the `cameras_file` of the settings; an id that is there is replaced.

    A running worker takes them up at SIGHUP.

    Examples:

      detector cameras import new-cameras.csv -c fleet.yaml
    """
    from detector.config.camera_file import put_rows, rows_of

    written = put_rows(_list_of(config), rows_of(csv_file, os.environ), os.environ)
    _tell(written.added, written.changed, written.same, as_json)


@app.command()
def add(
    camera_id: Annotated[str, typer.Argument(help="its stable id")],
    url: Annotated[str, typer.Argument(help="address; write ${NAME} for a password that is in the environment")],
    name: Annotated[str, typer.Option(help="what people call it")] = "",
    mode: Annotated[str, typer.Option(help="stream or patrol; as the settings say when not given")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Add one camera to the `cameras_file` of the settings, or replace it.

    An address on the command line is seen by whoever lists processes; `import` keeps it in files.

    Examples:

      detector cameras add alley-03 'rtsp://viewer:${CAMERA_PASSWORD}@192.0.2.33/stream1' --mode patrol -c fleet.yaml
    """
    from detector.config.camera_file import put_rows

    row = {"id": camera_id, "name": name, "url": url, "mode": mode}
    written = put_rows(_list_of(config), [{key: value for key, value in row.items() if value}], os.environ)
    _tell(written.added, written.changed, written.same, as_json)


def _list_of(config: Path) -> Path:
    file = load_settings(config).cameras_file
    if file is None:
        raise ConfigError(f"{config}: names no `cameras_file` to write to; add `cameras_file: cameras.csv` to it")
    return file


def _tell(added: tuple[str, ...], changed: tuple[str, ...], same: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        print_json({"added": added, "changed": changed, "same": same})
    else:
        ERR.print(
            f"{len(added)} added, {len(changed)} changed, {len(same)} as they were; SIGHUP makes a worker read them"
        )
