"""The pages a dispatcher looks at: all cases, one case. Plain server-rendered HTML with nothing from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from detector.core.stages import Stage
from detector.desk.access import ReaderGate
from detector.desk.case import Case, CaseStatus
from detector.desk.course import CAMERA, Step
from detector.desk.filing import Received
from detector.desk.ledger import CaseFile, CaseFilter, Ledger
from detector.desk.pictures import Pictures
from detector.desk.reading import Offset, possible_moves

PAGE_SIZE = 24
WORDS: dict[str, Mapping[str, Any]] = {
    "status_names": {
        "open": ("Open", "待处理"),
        "cleared": ("Cleared", "已清除"),
        "dismissed": ("Dismissed", "已作废"),
    },
    "stage_names": {
        "collect": ("Collect", "信息采集"),
        "file": ("File", "立案"),
        "dispatch": ("Dispatch", "派遣"),
        "handle": ("Handle", "处理"),
        "report": ("Report back", "反馈"),
        "verify": ("Verify", "核查"),
        "close": ("Close", "结案"),
    },
    "move_names": {  # to do, done, done in Chinese
        "filed": ("File as a case", "Filed", "立案"),
        "refused": ("Refuse", "Refused", "不予立案"),
        "dispatched": ("Dispatch", "Dispatched", "派遣"),
        "handed_back": ("Hand back", "Handed back", "退回"),
        "taken_up": ("Take up", "Taken up", "受理"),
        "reported": ("Report done", "Reported done", "反馈已处理"),
        "checked": ("Ask to look again", "Asked to look again", "核查"),
        "seen_gone": ("It is gone: close", "Seen gone", "核查通过"),
        "still_there": ("Still there", "Still there", "核查不通过"),
    },
    "kind_names": {
        "opened": ("Opened", "发现"),
        "updated": ("Updated", "更新"),
        "cleared": ("Cleared", "消失"),
        "dismissed": ("Dismissed", "作废"),
        "reopened": ("Reopened", "复发"),
    },
    "camera_names": {
        "ok": "正常",
        "unreachable": "离线",
        "stale": "画面陈旧",
        "dark": "过暗",
        "frozen": "画面冻结",
        "covered": "遮挡",
        "blurred": "模糊",
        "moved": "移位",
    },
}


@dataclass(frozen=True, slots=True)
class Appearance:
    """How the pages present themselves."""

    title: str
    zone: ZoneInfo  # times are shown in it
    refresh_s: float


def environment(appearance: Appearance) -> Environment:
    """Templates with everything escaped and the desk's words and filters in them."""
    templates = Environment(
        loader=PackageLoader("detector.desk"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {"title": appearance.title, "refresh_s": appearance.refresh_s, **WORDS}
    templates.globals |= {"zone": str(appearance.zone)}
    templates.filters |= {
        "when": lambda moment: f"{moment.astimezone(appearance.zone):%Y-%m-%d %H:%M:%S}",
        "clock": lambda moment: f"{moment.astimezone(appearance.zone):%H:%M:%S}",
        "span": span,
        "english": lambda names, otherwise: _named(names, "en") or otherwise,
        "chinese": lambda names: _named(names, "zh"),
    }
    return templates


def pages(
    ledger: Ledger,
    gate: ReaderGate,
    pictures: Pictures,
    templates: Environment,
    clock: Callable[[], datetime],
) -> APIRouter:
    """Routes / and /cases/{id}."""
    router = APIRouter(dependencies=[Depends(gate)], default_response_class=HTMLResponse)

    def page(template: str, **values: Any) -> HTMLResponse:
        return HTMLResponse(templates.get_template(template).render(now=clock(), **values))

    @router.get("/")
    def all_cases(wanted: Annotated[CaseFilter, Depends(_filter)], offset: Offset = 0) -> HTMLResponse:
        found = ledger.cases(wanted, limit=PAGE_SIZE, offset=offset)
        categories, case_cameras = ledger.choices()
        more = offset + PAGE_SIZE < found.total
        return page(
            "cases.html",
            wanted=wanted,
            filtered=wanted != CaseFilter(),
            tiles=_tiles(ledger, wanted),
            page=found,
            offset=offset,
            newer=_address(wanted, max(0, offset - PAGE_SIZE)) if offset else None,
            older=_address(wanted, offset + PAGE_SIZE) if more else None,
            categories=categories,
            case_cameras=case_cameras,
            cameras=ledger.cameras(),
            pictures=lambda case: pictures.picture(case.before.url),
            missing=lambda case: _why_no_picture(case.before.url, case.before.reason),
        )

    @router.get("/cases/{case_id}")
    def one_case(case_id: str) -> HTMLResponse:
        found = ledger.case(case_id)
        if found is None:
            raise HTTPException(404, "no such case")
        return page(
            "case.html",
            case=found.case,
            sides=_sides(found.case, pictures),
            timeline=_timeline(found),
            moves=possible_moves(found.case),
        )

    return router


def span(duration: timedelta) -> str:
    """A duration for people, e.g. `2 h 05 min`."""
    seconds = max(0, round(duration.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{minutes} min {seconds % 60:02d} s" if minutes else f"{seconds} s"


def _filter(status: str = "", category: str = "", camera: str = "", stage: str = "") -> CaseFilter:
    """An unused field of the form arrives empty and means no filter."""
    if status and status not in list(CaseStatus):
        raise HTTPException(422, "status is one of " + ", ".join(CaseStatus))
    if stage and stage not in list(Stage):
        raise HTTPException(422, "stage is one of " + ", ".join(Stage))
    return CaseFilter(
        CaseStatus(status) if status else None,
        category or None,
        camera or None,
        Stage(stage) if stage else None,
    )


def _address(wanted: CaseFilter, offset: int = 0) -> str:
    chosen = {
        "status": wanted.status,
        "category": wanted.category,
        "camera": wanted.camera_id,
        "stage": wanted.stage,
        "offset": offset or None,
    }
    query = urlencode({key: value for key, value in chosen.items() if value is not None})
    return f"/?{query}" if query else "/"


def _tiles(ledger: Ledger, wanted: CaseFilter) -> list[dict[str, Any]]:
    counts = ledger.counts()
    names = WORDS["status_names"]
    of_review = CaseFilter(status=CaseStatus.OPEN, stage=Stage.COLLECT)
    tiles = [
        ("open", *names["open"], counts.open, CaseFilter(status=CaseStatus.OPEN)),
        ("review", "of them to review", "待审核", counts.review, of_review),
        ("cleared", *names["cleared"], counts.cleared, CaseFilter(status=CaseStatus.CLEARED)),
        ("dismissed", *names["dismissed"], counts.dismissed, CaseFilter(status=CaseStatus.DISMISSED)),
    ]
    return [
        {
            "kind": kind,
            "name": english,
            "chinese": chinese,
            "number": number,
            "href": "/" if wanted == target else _address(target),
            "chosen": wanted == target,
        }
        for kind, english, chinese, number, target in tiles
    ]


def _sides(case: Case, pictures: Pictures) -> list[dict[str, Any]]:
    sides = [("before", "The problem", "问题", case.before)]
    if case.status is CaseStatus.CLEARED:
        sides.append(("after", "After clearing", "清除后", case.after))
    return [
        {
            "key": key,
            "name": english,
            "chinese": chinese,
            "picture": pictures.picture(evidence.url),
            "missing": _why_no_picture(evidence.url, evidence.reason),
        }
        for key, english, chinese, evidence in sides
    ]


def _timeline(found: CaseFile) -> list[tuple[str, Received | Step]]:
    """Events and what people did, in the order in which the case was worked out."""
    events = [(entry.report.data.revision, 0, "event", entry) for entry in found.received]
    deeds = [(step.revision, 1, "deed", step) for step in found.steps if step.by != CAMERA]
    merged: list[tuple[int, int, str, Received | Step]] = [*events, *deeds]
    return [(kind, entry) for _, _, kind, entry in sorted(merged, key=lambda one: one[:2])]


def _why_no_picture(url: str | None, reason: str | None) -> str:
    if url is None:
        return f"no picture: {reason}" if reason else "no picture was sent"
    return "the picture is not kept here"


def _named(names: Mapping[str, str], language: str) -> str | None:
    tags = sorted(tag for tag in names if tag.lower().replace("_", "-").split("-")[0] == language)
    return names[tags[0]] if tags else None
