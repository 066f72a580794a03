"""For ops: the cameras of an installation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from detector.cli.output import ERR, Json, print_json, print_table
from detector.config import Settings, load_settings
from detector.core.secrets import without_secrets
from detector.errors import ConfigError

app = typer.Typer(help="Cameras: list, test, add, import.", no_args_is_help=True)
Config = Annotated[Path, typer.Option("--config", "-c", help="settings file", exists=True, dir_okay=False)]
DEFAULT_CONFIG = Path("configs/detector.yaml")


@app.command("list")
def list_(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """List the cameras with their condition at the newest look; passwords are never shown.

    Examples:

      detector cameras list -c fleet.yaml --json
    """
    from detector.assembly import open_store_of

    settings = load_settings(config)
    with open_store_of(config) as store:
        states = store.camera_states()
    rows = []
    for camera in settings.cameras:
        plan, state = settings.plan(camera), states.get(camera.id)
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
        )
    if as_json:
        print_json(rows)
    else:
        print_table(tuple(rows[0]) if rows else (), [tuple(row.values()) for row in rows], "no cameras")


@app.command()
def test(
    targets: Annotated[list[str] | None, typer.Argument(help="camera ids or addresses; none: all cameras")] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="settings file")] = None,
    timeout: Annotated[float, typer.Option(min=0.5, help="seconds to wait for an answer, and for data")] = 5.0,
    as_json: Json = False,
) -> None:
    """Open cameras and tell codec, size, frame rate, keyframe distance and clock; exits with 1 if one fails.

    Examples:

      detector cameras test -c fleet.yaml east-gate

      detector cameras test rtsp://192.0.2.11/stream1
    """
    from detector.cli.examination import try_camera

    settings = load_settings(config or DEFAULT_CONFIG) if config or not targets else None
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
        elif "://" in target or Path(target).exists():
            found.append((without_secrets(target), target))
        else:
            raise ConfigError(f"{target!r} is no camera of the settings (-c), no address and no file")
    return found


@app.command("import")
def import_(
    csv_file: Annotated[Path, typer.Argument(help="CSV; its header names the keys of a camera: id, name, url, ...")],
    config: Config = DEFAULT_CONFIG,
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
    config: Config = DEFAULT_CONFIG,
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
