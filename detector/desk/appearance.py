"""What the pages are made with: words in both languages, templates, filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

WORDS: dict[str, Mapping[str, Any]] = {
    "status_names": {
        "open": ("Open", "待处理"),
        "cleared": ("Cleared", "已清除"),
        "dismissed": ("Dismissed", "已作废"),
        "merged": ("Merged", "已并案"),
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
        "vanished": ("Gone", "Taken for gone", "已消失"),
        "left": ("Left", "Taken for gone; the case stays", "已离开，案件保留"),
        "held": ("Hold", "Held for a person", "转人工审核"),
        "escalated": ("Escalate", "Overdue, escalated", "超期督办"),
        "confirmed": ("Confirm", "Confirmed", "核实"),
        "rejected": ("Reject", "Rejected", "作废"),
        "relabelled": ("Relabel", "Relabelled", "改类"),
        "merged": ("Merge", "Merged", "并案"),
        "split": ("Split off", "Split off", "拆案"),
        "parted": ("Split", "Split: another case was taken out", "拆出"),
    },
    "reason_names": {
        "not_there": ("nothing there", "误报"),
        "legal_breakfast_cart": ("legal breakfast cart", "合法早餐车"),
        "goods_inside": ("goods inside the shop", "店内商品"),
        "legal_advert": ("legal advert", "合法广告"),
        "moving_vendor": ("vendor passing by", "流动经过"),
        "abandoned_stall": ("abandoned stall", "无人摊位"),
        "other": ("other", "其他"),
    },
    "finding_names": {
        "confirmed": ("confirmed", "属实"),
        "rejected": ("rejected", "不属实"),
        "relabelled": ("another category", "类别有误"),
    },
    "doubt_names": {
        "synthetic": ("learned from rendered pictures only", "仅由合成图像学得"),
        "poor": ("the model is poor at it", "模型对此不可靠"),
        "always": ("this kind always waits for a person", "此类须人工审核"),
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
        "moment": lambda moment: f"{moment.astimezone(appearance.zone):%m-%d %H:%M}",
        "clock": lambda moment: f"{moment.astimezone(appearance.zone):%H:%M:%S}",
        "span": span,
        "share": lambda value: "–" if value is None else f"{value:.0%}",
        "english": lambda names, otherwise: _named(names, "en") or otherwise,
        "chinese": lambda names: _named(names, "zh"),
    }
    return templates


def span(duration: timedelta) -> str:
    """A duration for people, e.g. `2 h 05 min`."""
    seconds = max(0, round(duration.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{minutes} min {seconds % 60:02d} s" if minutes else f"{seconds} s"


def _named(names: Mapping[str, str], language: str) -> str | None:
    tags = sorted(tag for tag in names if tag.lower().replace("_", "-").split("-")[0] == language)
    return names[tags[0]] if tags else None
