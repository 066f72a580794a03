"""Small adverts stuck or stamped on walls: drawn sheets, set into real facades with the wall's own light."""

from __future__ import annotations

import functools
import math
import shutil
import subprocess
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from datasets.synthetic.cutouts import Picture, box_from_mask
from datasets.synthetic.perspective import Box

HEADS = (
    "办证",
    "刻章",
    "疏通下水道",
    "房屋出租",
    "高价回收",
    "开锁换锁",
    "贷款",
    "招聘",
    "搬家",
    "专业防水",
    "空调维修",
    "家教",
    "打孔",
    "二手家电",
    "无抵押",
)
BODIES = ("电话", "联系人 王先生", "24小时服务", "上门服务", "价格优惠", "诚信经营", "随叫随到", "日结工资")
PAPERS = (
    (252, 250, 245),
    (250, 240, 150),
    (245, 170, 175),
    (170, 215, 245),
    (240, 235, 220),
    (225, 60, 55),
    (150, 220, 160),
)
INKS = ((15, 15, 20), (180, 20, 25), (20, 40, 150))


@functools.cache
def font_file() -> str | None:
    """A font with Chinese glyphs, asked of fontconfig; None where there is none (digits only then)."""
    if shutil.which("fc-match") is None:
        return None
    found = subprocess.run(
        ["fc-match", "-f", "%{file}|%{lang}", ":lang=zh-cn"], capture_output=True, text=True, check=False
    )
    file, _, languages = found.stdout.partition("|")
    return file if "zh" in languages else None


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    file = font_file()
    return ImageFont.truetype(file, size) if file else ImageFont.load_default(size)


def phone(rng: Random) -> str:
    """Eleven digits of a number range that is never given out (1 followed by 0)."""
    return "10" + "".join(rng.choice("0123456789") for _ in range(9))


def sheet(rng: Random, stamped: bool) -> NDArray[np.uint8]:
    """One advert, RGBA (h, w, 4) at about 260 pixels width; `stamped`: ink on the bare wall, no paper."""
    width, height = (260, rng.choice((110, 150))) if stamped else (260, rng.choice((180, 260, 340, 380)))
    paper, ink = rng.choice(PAPERS), rng.choice(INKS)
    if stamped:
        picture = Image.new("RGBA", (width, height), (*ink, 0))
    else:
        picture = Image.new("RGBA", (width, height), (*paper, 255))
        if paper[2] < 100:
            ink = (250, 245, 230)
    draw = ImageDraw.Draw(picture)
    chinese = font_file() is not None
    head = rng.choice(HEADS) if chinese else "TEL"
    y = 10
    size = min(110, int((width - 20) / max(2, len(head))))
    draw.text((width / 2, y), head, font=_font(size), fill=(*ink, 255), anchor="mt")
    y += size + 14
    strips = not stamped and rng.random() < 0.25
    bottom = height - (70 if strips else 40)
    while chinese and y < bottom - 34 and not stamped:
        draw.text((width / 2, y), rng.choice(BODIES), font=_font(26), fill=(*ink, 255), anchor="mt")
        y += 36
    number = phone(rng)
    draw.text(
        (width / 2, min(y, bottom)),
        number,
        font=_font(38),
        fill=(*rng.choice((ink, ink, (180, 20, 25))), 255),
        anchor="mt",
    )
    if strips:
        for i in range(8):
            x = i * width / 8
            draw.line((x, height - 45, x, height), fill=(90, 90, 90, 255), width=2)
            if rng.random() < 0.3:
                draw.rectangle((x, height - 45, x + width / 8, height), fill=(0, 0, 0, 0))
    if not stamped and rng.random() < 0.35:  # a torn corner
        cx, cy = rng.choice((0, width)), rng.choice((0, height))
        reach = rng.uniform(0.15, 0.5) * width
        points = [(cx, cy)] + [
            (
                cx + reach * rng.uniform(0.5, 1) * math.cos(a) * (-1 if cx else 1),
                cy + reach * rng.uniform(0.5, 1) * math.sin(a) * (-1 if cy else 1),
            )
            for a in (0.0, 0.4, 0.8, 1.2, 1.57)
        ]
        draw.polygon(points, fill=(0, 0, 0, 0))
    return np.asarray(picture)


def stick(picture: Picture, rng: Random, left: float, top: float, size: float) -> Box | None:
    """Sets one advert of `size` pixels width into the picture in place; returns its box."""
    height, width = picture.shape[:2]
    rgba = sheet(rng, stamped=rng.random() < 0.2)[..., [2, 1, 0, 3]].astype(np.float32)
    h, w = rgba.shape[:2]
    tall = size * h / w
    turn, squeeze = rng.gauss(0, 0.07), rng.uniform(0.75, 1.0)
    c, s = math.cos(turn), math.sin(turn)
    corners = np.array([(0, 0), (size * squeeze, 0), (size * squeeze, tall), (0, tall)], np.float32)
    corners = corners @ np.array([[c, s], [-s, c]], np.float32) + np.array((left, top), np.float32)
    corners += np.array([[rng.uniform(-0.03, 0.03) * size for _ in "xy"] for _ in range(4)], np.float32)
    warp = cv2.getPerspectiveTransform(
        np.array([(0, 0), (w, 0), (w, h), (0, h)], np.float32), corners.astype(np.float32)
    )
    rgba = np.asarray(cv2.GaussianBlur(rgba, (0, 0), max(0.1, 0.45 * w / size)), np.float32)
    laid = cv2.warpPerspective(rgba, warp, (width, height), flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0, 0))
    alpha = laid[..., 3:] / 255
    seen = alpha[..., 0] > 0.3
    if seen.sum() < 40:
        return None
    box = box_from_mask(seen)
    if box.area < 0.5 * size * squeeze * tall * 0.6:
        return None
    wall = picture.astype(np.float32)
    light = cv2.GaussianBlur(wall.mean(axis=2), (0, 0), max(2.0, size / 3))[..., None]
    grain = np.random.default_rng(rng.randrange(2**31)).normal(0, 1, wall.shape[:2])
    crease = cv2.GaussianBlur(grain, (0, 0), size / 9)
    crease = 1 + 0.05 * crease[..., None] / max(1e-6, float(crease.std()))
    lit = laid[..., :3] * np.clip(light / 150, 0.25, 1.08) * crease * rng.uniform(0.8, 0.98)
    fade = rng.uniform(0.82, 1.0)
    picture[:] = np.clip(wall + (lit - wall) * alpha * fade, 0, 255).astype(np.uint8)
    return box
