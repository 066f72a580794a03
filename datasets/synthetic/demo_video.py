"""Puts the rendered layers of the demo together, frame by frame, and encodes the clip.

Order of depth, far to near: plate, people on the pavement, the problems' own pixels again, then
vehicles. On top: slow changes of light, lens softness, vignette and sensor noise, all seeded.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from datasets.synthetic.plan_demo import CAMERA, FPS, PROBLEMS, SECONDS, SIZE, TRACKS, Problem, Track

Picture = NDArray[np.float32]
GOP_SECONDS = 2
RATE = Fraction(FPS).limit_denominator(1000)
FADE_FRAMES = 3
FRAMES = round(SECONDS * FPS)


@dataclass(frozen=True, slots=True)
class Patch:
    """The picture around one problem; `blend` and `solid` are (h, w, 1) weights 0..1.

    `blend` covers everything the problem changes (shadow, reflection), `solid` only its own
    pixels; `box` is left, top, right, bottom of those in the whole frame.
    """

    problem: Problem
    left: int
    top: int
    picture: Picture
    blend: Picture
    solid: Picture
    box: tuple[int, int, int, int]


def read(path: pathlib.Path) -> Picture:
    """A picture file as float32 in 0..255, BGR or BGRA."""
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise FileNotFoundError(f"{path}: rendered layer missing or unreadable; render it again")
    return picture.astype(np.float32)


def box_of(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom (exclusive) of the true pixels."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        raise ValueError("the object is not visible: its mask is empty")
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def load_patch(folder: pathlib.Path, problem: Problem, plate: Picture) -> Patch:
    """Reads one problem's layer and derives its weights from mask and difference to the plate."""
    stem = folder / f"problem-{problem.name}"
    side = json.loads(stem.with_suffix(".json").read_text())
    picture, mask = read(stem.with_suffix(".png")), np.load(stem.with_suffix(".npy"))
    left, top = side["left"], side["top"]
    h, w = mask.shape
    under = plate[top : top + h, left : left + w]
    # what differs from the clean plate beyond the two renderings' own noise belongs to the problem
    change = cv2.GaussianBlur(np.abs(picture - under).max(2), (0, 0), 3)
    touched = cv2.dilate(((change > 5) | (mask > 0)).astype(np.float32), np.ones((9, 9), np.uint8))
    blend = np.asarray(cv2.GaussianBlur(touched, (0, 0), 3), np.float32)[..., None]
    solid = np.asarray(cv2.GaussianBlur((mask > 0).astype(np.float32), (0, 0), 0.7), np.float32)[..., None]
    x0, y0, x1, y1 = box_of(mask == 1)
    return Patch(problem, left, top, picture, blend, solid, (left + x0, top + y0, left + x1, top + y1))


def lay(frame: Picture, patch: Patch, weight: Picture, amount: float) -> None:
    """Mixes a patch into the frame in place."""
    if amount <= 0:
        return
    h, w = patch.picture.shape[:2]
    part = frame[patch.top : patch.top + h, patch.left : patch.left + w]
    part += (patch.picture - part) * weight * amount


def shift(track: Track, key: int, step: int) -> NDArray[np.float64]:
    """The 2 x 3 affine map that moves the picture taken at frame `key` to where the object is at `step`.

    Fixed by three points of the object: its foot, one metre ahead and one metre up.
    """
    pairs = []
    for x in (track.x(key), track.x(step)):
        points = ((x, track.y, track.z), (x + 1, track.y, track.z), (x, track.y, track.z + 1))
        pairs.append(np.array([CAMERA.project(*point, SIZE) for point in points], np.float32))
    return np.asarray(cv2.getAffineTransform(*pairs), np.float64)


def edge_fade(width: int, height: int, left: int, top: int, size: tuple[int, int], reach: float = 10.0) -> Picture:
    """Weights (h, w) that fade a sprite's faint shadow out at its window, except along the picture's own edge."""
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    far = np.float32(1e6)
    from_left = x + (far if left == 0 else 0)
    from_right = width - 1 - x + (far if left + width >= size[0] else 0)
    from_top = y + (far if top == 0 else 0)
    from_bottom = height - 1 - y + (far if top + height >= size[1] else 0)
    across = np.clip(np.minimum(from_left, from_right) / reach, 0, 1)
    down = np.clip(np.minimum(from_top, from_bottom) / reach, 0, 1)
    return np.asarray(np.outer(down, across), np.float32)


def lay_sprite(
    frame: Picture, folder: pathlib.Path, track: Track, step: int, tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> None:
    """Sets one frame of a moving sprite (straight alpha) into the picture in place."""
    key = min(round(step / track.stride), (track.steps - 1) // track.stride) * track.stride
    side = json.loads((folder / f"{key:04d}.json").read_text())
    if side.get("empty"):
        return
    sprite = read(folder / f"{key:04d}.png")
    h, w = sprite.shape[:2]
    scale = side.get("scale", 1.0)
    sprite[..., 3] *= edge_fade(w, h, side["left"], side["top"], (round(SIZE[0] * scale), round(SIZE[1] * scale)))
    sprite[..., :3] *= np.asarray(tint, np.float32) * (sprite[..., 3:] / 255)
    if key == step and scale == 1:
        part = frame[side["top"] : side["top"] + h, side["left"] : side["left"] + w]
    else:
        move = shift(track, key, step)
        move[:, 2] += move[:, :2] @ (side["left"] / scale, side["top"] / scale)
        move[:, :2] /= scale
        sprite = np.asarray(cv2.warpAffine(sprite, move, SIZE, flags=cv2.INTER_LINEAR), np.float32)
        part = frame
    part *= 1 - sprite[..., 3:] / 255
    part += sprite[..., :3]


def presence(problem: Problem, second: float) -> float:
    """1 while the problem stands there, 0 otherwise, with a short fade at both ends."""
    fade = FADE_FRAMES / FPS
    rise = (second - problem.appears_s) / fade
    fall = (problem.cleared_s - second) / fade
    return float(np.clip(min(rise, fall), 0, 1))


def crossings(track: Track, index: int) -> Iterator[tuple[int, tuple[float, float, float]]]:
    """(step, tint) of each crossing of the track that is under way at frame `index`."""
    for number, start in enumerate(track.starts_s):
        step = index - round(start * FPS)
        if 0 <= step < track.steps:
            yield step, track.tints[number % len(track.tints)]


def frames(folder: pathlib.Path, seed: int = 1) -> Iterator[NDArray[np.uint8]]:
    """Every frame of the clip, BGR (720, 1280, 3)."""
    rng = np.random.default_rng(seed)
    plate = read(folder / "plate.png")
    patches = [load_patch(folder, problem, plate) for problem in PROBLEMS]
    # a bank of noise pictures, shifted at random: drawing fresh noise takes longer than all the rest
    bank = [rng.normal(0, 2.2, (SIZE[1], SIZE[0], 1)) + rng.normal(0, 0.8, (SIZE[1], SIZE[0], 3)) for _ in range(8)]
    grain = [noise.astype(np.float32) for noise in bank]
    yy, xx = np.mgrid[-1 : 1 : SIZE[1] * 1j, -1 : 1 : SIZE[0] * 1j]
    vignette = (1 - 0.16 * (xx**2 + yy**2) / 2).astype(np.float32)[..., None]
    for index in range(FRAMES):
        second = index / FPS
        frame = plate.copy()
        shown = [(p, presence(p.problem, second)) for p in patches]
        for patch, amount in shown:
            lay(frame, patch, patch.blend, amount)
        for walking in (True, False):
            for track in TRACKS:
                if (track.kind == "person") == walking:
                    for step, tint in crossings(track, index):
                        lay_sprite(frame, folder / f"track-{track.name}", track, step, tint)
            if walking:
                for patch, amount in shown:
                    lay(frame, patch, patch.solid, amount)
        turn = 2 * np.pi * second / SECONDS  # whole periods, so that the loop has no step
        light = 1 + 0.025 * np.sin(2 * turn) + 0.012 * np.sin(7 * turn + 1)
        frame = cv2.GaussianBlur(frame * (vignette * np.float32(light)), (3, 3), 0.55)
        frame += np.roll(grain[rng.integers(len(grain))], int(rng.integers(SIZE[1])), axis=0)
        yield np.clip(frame, 0, 255).astype(np.uint8)


def encode(
    folder: pathlib.Path,
    target: pathlib.Path,
    crf: int = 27,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Writes the clip: H.264, 4:2:0, a keyframe each 2 s, no B-frames."""
    gop = round(GOP_SECONDS * FPS)
    options = {
        "crf": str(crf),
        "preset": "slow",
        "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:open-gop=0",
    }
    with av.open(str(target), "w", options={"movflags": "+faststart"}) as out:
        stream = out.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.max_b_frames = 0
        for index, picture in enumerate(frames(folder)):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = index, 1 / RATE
            for packet in stream.encode(frame):
                out.mux(packet)
            if progress is not None:
                progress(index)
        for packet in stream.encode():
            out.mux(packet)


def complete(folder: pathlib.Path) -> bool:
    """Whether every layer of the clip is rendered."""
    sides = [folder / f"problem-{p.name}.json" for p in PROBLEMS]
    sides += [folder / f"track-{t.name}" / f"{step:04d}.json" for t in TRACKS for step in range(0, t.steps, t.stride)]
    return all(side.exists() for side in sides)


def truth(folder: pathlib.Path, clip: str) -> dict[str, object]:
    """What stands where and when, in the form of the other clips' truth files."""
    plate = read(folder / "plate.png")
    problems = []
    for problem in PROBLEMS:
        box = load_patch(folder, problem, plate).box
        problems.append(
            {
                "label": problem.label,
                "box_xyxy": list(box),
                "appears_s": problem.appears_s,
                "cleared_s": problem.cleared_s,
            }
        )
    return {
        "clip": clip,
        "size": list(SIZE),
        "fps": FPS,
        "gop": round(GOP_SECONDS * FPS),
        "seconds": SECONDS,
        "problems": problems,
    }
