"""What the simulated city is made of: every number that is assumed, and where it comes from.

Nothing here was measured on a running city. What the simulation shows is how the product behaves IF streets, model and
bureau are like this; its own promises (no duplicate, nothing lost) must hold whatever the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """How a category shows itself in the street of one camera."""

    label: str
    per_day: float  # new ones per camera and day
    stays_h: float  # mean time after which it goes by itself, hours (exponential, at least 10 minutes)
    seen: float  # share of clear looks in which the model finds it, mean over things
    score: float  # its mean score
    again: float = 0.1  # chance that it comes back within two hours after it went


KINDS: dict[str, Kind] = {
    "exposed_garbage": Kind("garbage", 0.6, 10, 0.92, 0.78),
    "bin_overflow": Kind("bin_overflow", 0.4, 12, 0.94, 0.84),
    "rubble_pile": Kind("rubble_pile", 0.04, 72, 0.85, 0.65),
    "piled_materials": Kind("piled_materials", 0.15, 30, 0.80, 0.60),
    "street_stall": Kind("street_stall", 0.5, 2, 0.90, 0.75, 0.3),
    "shop_overflow": Kind("shop_goods", 0.25, 6, 0.85, 0.68, 0.2),
    "illegal_ad": Kind("graffiti", 0.08, 200, 0.85, 0.70),
    "nonmotor_parking": Kind("bicycle", 0.8, 4, 0.90, 0.76),
    "motor_parking": Kind("car", 0.8, 1.2, 0.95, 0.86),
    "road_damage": Kind("pothole", 0.03, 500, 0.80, 0.66, 0.0),
    "manhole_abnormal": Kind("manhole_abnormal", 0.01, 60, 0.80, 0.64, 0.0),
    "road_ponding": Kind("ponding", 0.02, 5, 0.85, 0.68),
    "uncovered_muck_truck": Kind("uncovered_load", 0, 0.05, 0.85, 0.66, 0.0),  # at the exits of sites alone, see GATES
    "open_burning": Kind("smoke", 0.02, 0.7, 0.85, 0.66),
}
"""Shares found: the recall at a low score that goes with an AP50 of 0.5 to 0.9. Rates, scores and stays are guesses."""

LOOK_EVERY_S = 180
"""One look per camera: what a patrol with dwell times of 5 and 10 minutes needs at least."""

GATES = 0.005
"""Share of cameras at the exit of a site or on a haul road, at least one. A guess: a city digs in some hundred places
at a time and has some hundred thousand cameras. Elsewhere trucks with open loads only pass."""
GATE_LOOKS_EVERY_S = 10
"""They stay connected (`stream`) and look so often: the default of `sampling.interval`. A truck that stands there for a
minute is then looked at five times, as often as its category may look back on. LOOK_EVERY_S is a multiple of it."""
TRUCK_GAP_M = 6.0
"""Mean time until the next truck stands at the gate once one has left (exponential; a guess). With three minutes that
a truck stands there on average (`stays_h`; exponential, TRUCK_STAYS_M at least) it is 160 a day: a pit that is dug day
and night. Whatever waits behind it is out of the area to watch, as docs/rules.md advises."""
TRUCK_STAYS_M = 1 / 3
OPEN_LOADS = 0.05  # share of trucks with a load open to the sky; a guess
TAKEN_FOR_OPEN = (
    0.02  # share of trucks whose covered load the model takes for an open one: about 70 % of alarms are right
)
TRUCK_WIDTH, TRUCK_HEIGHT = (200, 260), (140, 190)  # pixels; it creeps ahead by up to what its place leaves free
OPEN_PASSING = 0.05  # share of trucks passing through the picture of any camera that the model sees with an open load

SPREAD = 12.0
"""Concentration of the beta distribution of a thing's own share and score around the mean: some are hard to see."""

FALSE_PLACES_PER_CAMERA = 0.35
"""Things per camera and day that the model takes for a problem, for hours. Chosen so that 70 to 90 % of alarms are
right, which is what published systems report."""
FALSE_SEEN, FALSE_SCORE = 0.75, 0.58
FALSE_STAYS_H = 4.0

FLICKER = 0.01
"""Chance per look of a detection of nothing that is not there in the next look."""

PART = 0.04  # chance per look that a thing is found in two overlapping parts
OTHER_OPINION = 0.06  # share of things on which the model has a second opinion of another category

VEHICLES = {"rush": 0.9, "day": 0.5, "night": 0.1}
"""Mean number of vehicles in a picture that pass through, by hour; each hides what it covers."""
VEHICLE_SEEN = 0.92
PARKED_BEFORE = 0.05
"""Chance that a thing gets a lorry parked in front of it, for PARKED_M minutes."""
PARKED_M = (15, 60)

DARK_CAMERAS = 0.15  # share without street light: dark from 19:00 to 06:00
DEAD_CAMERAS = 0.01  # share that answers all day long not at all
FAILING_CAMERAS = 0.05  # share that fails once, for FAILS_M minutes
FAILS_M = (6, 240)
PAIRED = 0.20
"""Share of cameras that share a spot with their neighbour; half of the pairs know the ground, half declare an area."""
AT_SHARED = 0.5  # chance that a thing before such a camera stands there
GROUND_CAMERAS = 0.4
GROUND_BIAS_M = 1.5  # each camera's own error in east and in north, metres (uniform, at most)

TAKE_UP_M, HANDLE_M = 20.0, 70.0  # means until a crew begins, and until it says that it is done (exponential)
SAID_DONE = 0.08  # share of reports of things that are still there
CREW_VERDICT = 0.9  # share of right alarms that the crew confirms with its report; wrong ones it always rejects
REVIEW_M = 12.0  # mean wait in the queue of people who review
REVIEW_RIGHT = 0.97  # share of right decisions there
EVENT_LAG_S = 20.0  # mean time from a look to the desk
EVENT_TWICE = 0.02  # share of events that arrive twice
