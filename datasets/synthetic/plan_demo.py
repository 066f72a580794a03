"""The plan of the demo clip: camera, light, what stands where, what happens when.

Pure data: the renderer and the compositor both read it. Metres in the frame of reference of the
street (x along it, y across it, z up), degrees, seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from datasets.synthetic.perspective import Camera

SIZE = (1280, 720)
FPS = 12.5
SECONDS = 96
STREET_SEED = 20
LIGHT = {"elevation": 46.0, "azimuth": 34.0, "cloud": 0.12}


@dataclass(frozen=True, slots=True)
class Spot:
    """One fixed object: kind (see `blender.props`), shape seed, place, turn in degrees."""

    kind: str
    seed: int
    x: float
    y: float
    z: float = 0.0
    turn: float = 0.0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem that stands in the street from `appears_s` to `cleared_s` of the clip.

    `extras` come and go with it; the fixture named `replaces` is gone meanwhile.
    """

    name: str
    label: str
    spot: Spot
    appears_s: float
    cleared_s: float
    extras: tuple[Spot, ...] = ()
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    """Something that crosses the picture along x at constant speed, at each time of `starts_s`.

    `tints` (blue, green, red factors) are used in turn, so that one rendering passes as several cars.
    """

    name: str
    kind: str
    seed: int
    start: float
    end: float
    y: float
    speed: float
    starts_s: tuple[float, ...]
    z: float = 0.0
    colour: tuple[float, float, float] | None = None
    tints: tuple[tuple[float, float, float], ...] = ((1.0, 1.0, 1.0),)

    @property
    def steps(self) -> int:
        """Number of frames that one crossing takes."""
        return max(2, round(abs(self.end - self.start) / self.speed * FPS) + 1)

    @property
    def stride(self) -> int:
        """Every how many frames the object is rendered; between them it is shifted and scaled."""
        return 3

    def x(self, step: int) -> float:
        """Its place along the road at frame `step` of the crossing, metres."""
        return self.start + (self.end - self.start) * step / (self.steps - 1)


KERB = 0.14
CAMERA = Camera((-7.5, -6.0, 5.2), (3.6, 4.2, 0.35), 66.0)

FIXTURES = (
    Spot("tree", 3, -3.6, 4.95, KERB),
    Spot("tree", 5, 6.4, 4.95, KERB),
    Spot("tree", 8, 14.5, 4.95, KERB),
    Spot("tree", 9, 23.0, 4.95, KERB),
    Spot("lamp", 1, 2.0, 4.5, KERB),
    Spot("lamp", 1, 19.0, 4.5, KERB),
    Spot("car", 41, 16.5, 3.0, 0.0, 180.0),
    Spot("wheeled_bin", 12, 4.75, 4.85, KERB, 4.0),
    Spot("wheeled_bin", 52, 3.9, 4.85, KERB, -5.0, "clean_bin"),
)

PROBLEMS = (
    Problem("heap", "garbage", Spot("big_heap", 31, -0.2, 5.0, KERB), 8.0, 46.0),
    Problem(
        "bin", "bin_overflow", Spot("wheeled_bin_full", 52, 3.9, 4.85, KERB, -5.0), 16.0, 58.0, replaces="clean_bin"
    ),
    Problem(
        "stall",
        "street_stall",
        Spot("stall", 66, 10.3, 5.4, KERB),
        30.0,
        66.0,
        extras=(Spot("person_standing", 7, 10.1, 6.5, KERB, -95.0),),
    ),
    Problem("rubble", "rubble_pile", Spot("rubble", 73, 0.6, -3.0), 40.0, 84.0),
)

TRACKS = (
    Track("bus", "bus", 4, 40.0, -16.0, 1.1, 8.0, (26.0, 70.0), colour=(0.05, 0.28, 0.2)),
    Track(
        "white",
        "car",
        2,
        36.0,
        -12.0,
        1.1,
        9.0,
        (4.0, 14.0, 48.0, 60.0, 79.0),
        colour=(0.72, 0.72, 0.72),
        tints=((1.0, 1.0, 1.0), (0.42, 0.36, 0.33), (0.75, 0.5, 0.36)),
    ),
    Track(
        "walker",
        "person",
        5,
        -7.5,
        15.0,
        6.5,
        1.35,
        (2.0, 24.0, 49.0, 72.0),
        KERB,
        tints=((1.0, 1.0, 1.0), (0.62, 0.66, 0.95), (0.55, 0.6, 0.6)),
    ),
    Track(
        "red",
        "car",
        11,
        -12.0,
        34.0,
        -1.6,
        8.5,
        (1.0, 21.0, 36.5, 54.0, 88.0),
        colour=(0.4, 0.03, 0.03),
        tints=((1.0, 1.0, 1.0), (1.6, 1.2, 0.45), (0.8, 0.8, 0.5)),
    ),
)
