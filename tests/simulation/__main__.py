"""Simulates the day, replays its events and writes it to docs/city-day.md. Call it by scripts/simulate-city-day."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from detector.core.category import Light
from tests.simulation import assumptions as a
from tests.simulation.city import GATE, TRUCKS
from tests.simulation.day import Day
from tests.simulation.figures import Row, rows, table
from tests.simulation.others import others_of, with_row
from tests.simulation.replay import same_cases

START = datetime(2026, 10, 13, 16, 0, tzinfo=UTC)
"""Midnight of a Wednesday in China."""
PAGE = Path(__file__).resolve().parents[2] / "docs" / "city-day.md"
IN_MEMORY = Path("/dev/shm")
"""Only a faster place for a database that is thrown away."""


def main() -> int:
    """0 when nothing was lost, nothing doubled, and the replay gave the same cases."""
    asked = _arguments()
    place = IN_MEMORY if IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        began, worked = time.monotonic(), time.process_time()
        day = Day(
            asked.cameras, asked.hours, asked.seed, Path(folder) / "desk.db", start=START, reviewed=not asked.no_review
        )
        day.run(_progress(began))
        found = rows(day)
        took = time.process_time() - worked
        replayed = [_replay(day, Path(folder), seed) for seed in range(asked.replays)]
    text = page(day, found, asked, took, replayed)
    print(text)
    total = found[0]
    written = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    if asked.write:
        PAGE.write_text(f"{text}\n\n{others_of(written)}", encoding="utf-8")
    elif asked.add:
        PAGE.write_text(with_row(written, asked.seed, asked.cameras, total), encoding="utf-8")
    return int(total.lost + total.duplicates > 0 or not all(replayed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/simulate-city-day",
        description=__doc__,
        epilog="example: scripts/simulate-city-day --cameras 200 --hours 6 --seed 3",
    )
    parser.add_argument("--cameras", type=int, default=2000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--replays", type=int, default=1, help="replays of all events, twice and in another order each")
    parser.add_argument("--no-review", action="store_true", help="as if no category had to be looked at by a person")
    written = parser.add_mutually_exclusive_group()
    written.add_argument("--write", action="store_true", help="write docs/city-day.md, all but its table of other days")
    written.add_argument("--add", action="store_true", help="write a line of that table instead")
    return parser.parse_args()


def _replay(day: Day, folder: Path, seed: int) -> bool:
    chance = random.Random(seed)
    mixed = [*day.told, *day.told]
    chance.shuffle(mixed)
    return same_cases(day.told, mixed, day.plan, folder)


def _progress(began: float) -> Callable[[float], None]:
    def say(share: float) -> None:
        if sys.stderr.isatty():
            print(f"\r{share:.0%} after {time.monotonic() - began:.0f} s", end="", file=sys.stderr)

    return say


def page(day: Day, found: Sequence[Row], asked: argparse.Namespace, took: float, replayed: Sequence[bool]) -> str:
    """The whole of docs/city-day.md."""
    total = found[0]
    command = " ".join(["scripts/simulate-city-day", *sys.argv[1:]])
    return f"""# A simulated city day

Written by `{command}`; equal seeds give equal days.
{asked.cameras:,} cameras, {asked.hours:g} hours, seed {asked.seed}: {day.looks:,} looks and {len(day.told):,} events
in {took:.0f} s of one core.

The street, the model's errors, the crews and the people who review are simulated
(tests/simulation/assumptions.py names every number and where it comes from). What is measured is real: the life cycle
(`core.judging.judge`), rules and permits, camera health, the events as they are sent, and the desk with its ledger,
joining of cameras, automatic dispatch, verdicts and checks. Nothing here says how good the model is: its errors are
put in.

{_in_words(total, replayed)}

{table(list(found))}

- **right**: a thing of that category stood there. **sent without a person** and how many of these were right stand side
  by side; **verdicts on them** is what the desk itself can know: crews and reviewers judge only a part.
- **owed**: real things that were a case by the rules and that the model reported, above the least score, in as many
  clear looks in a row as the policy may look back on, over its dwell time. **lost**: owed, and without a case.
  **silenced**: owed, but at a place that stays silent because a person had rejected a false alarm there.
  **with another**: a truck that was owed a case and took the place of one before it whose case was still open; the two
  are one case (docs/rules.md).
- **duplicates**: pairs of cases on one thing (real or imagined) that were open at the same time, of one camera or two.
- **wrongly**: cleared by one camera while the thing was there and a case by the rules. Such a problem is reopened under
  the same case when it is seen again; with several cameras the case stays open meanwhile. **back**: of these, what had
  really gone since it was last seen, and had come back less than the looks of its clearing ago.
- **gone unsent**: cases that were closed, because the thing was gone, before anybody had been sent.
- **of two cameras**: cases with sources of more than one camera.
- categories that are told by daylight only ({_by_day(day)}) are judged while the sun is up over their camera; looks by
  night count neither for nor against them.
- times run from the opening, and from when the thing appeared, to the first dispatch, waiting for people included.

{_bound(day, found)}

{_trucks(day, found)}

What was assumed, in short:

- one look per camera every {a.LOOK_EVERY_S} s; {a.FALSE_PLACES_PER_CAMERA} lasting false alarms per camera and day;
- {a.GATES:.1%} of cameras at the exits of sites, one look every {a.GATE_LOOKS_EVERY_S} s;
- trucks stand there for {60 * a.KINDS[TRUCKS].stays_h:.0f} minutes, {a.TRUCK_GAP_M:.0f} minutes apart, on average;
- {a.OPEN_LOADS:.0%} of them carry an open load, {a.TAKEN_FOR_OPEN:.0%} are taken for such;
- {a.OTHER_OPINION:.0%} of things have a second name; vehicles hide what they cover;
- {a.DARK_CAMERAS:.0%} of cameras are dark at night, {a.DEAD_CAMERAS:.0%} dead;
- {a.FAILING_CAMERAS:.0%} fail for a while;
- {a.PAIRED:.0%} of cameras share a spot with another;
- {a.SAID_DONE:.0%} of crews' reports are wrong; {1 - a.REVIEW_RIGHT:.0%} of reviewers' decisions are;
- {a.EVENT_TWICE:.0%} of events arrive twice, and any may overtake another."""


def _by_day(day: Day) -> str:
    return ", ".join(sorted(key for key, one in day.categories.items() if one.light is Light.DAY))


def _bound(day: Day, found: Sequence[Row]) -> str:
    """What bounds the share sent without a person."""
    total, *rows = found
    waiting = sum(row.cases for row in rows if day.categories[row.category].review)
    of_all, sent = waiting / max(1, total.cases), total.automatic / max(1, total.cases - waiting)
    return f"""Categories under `review` (learned from synthetic pictures, or too grave) always wait for a person; they
are {of_all:.1%} of the cases here. Of the others {sent:.1%} were sent without one. What bounds that share are the
scores and the precision that the model was given: the desk sends nobody by itself at scores at which fewer than
{day.plan.demand.target:.0%} of the verdicts on a category are right, or of which it knows too little."""


def _trucks(day: Day, found: Sequence[Row]) -> str:
    """What the cameras at gates made of it."""
    row = next(row for row in found if row.category == TRUCKS)
    gates = [view for view in day.city.views if view.gate]
    trucks = sum(len(view.covered) + len(view.spots.get(GATE, ())) for view in gates)
    loads = sum(thing.category == TRUCKS and thing.real for thing in day.city.things)
    watched = {view.camera.id for view in gates}
    told = [one for one in day.problems.values() if one.category == TRUCKS and one.revision]
    elsewhere = sum(one.camera_id not in watched for one in told)
    return f"""Trucks with an open load are a case where they stand or creep. Cameras at the exits of sites, which look
often: {len(gates)}; trucks that came out there: {trucks:,}, of which {loads} had an open load. Past all other cameras
they only drive: {elsewhere} cases there. A truck that has left is proven by its picture, and its case stays with people
([desk.md](desk.md#what-drives-off)): of the {row.cases} trucks, {row.drove_off} had left before anybody was sent;
{row.drove_off_sent} of these were sent all the same, {row.drove_off_refused} refused, and {row.left} closed unseen."""


def _in_words(total: Row, replayed: Sequence[bool]) -> str:
    same = "the same cases" if all(replayed) else "OTHER cases"
    share = total.automatic / total.cases if total.cases else 0
    right = total.automatic_right / total.automatic if total.automatic else 0
    return (
        f"**{total.cases:,} cases; {share:.1%} sent without a person, of which {right:.1%} were right. "
        f"Duplicates: {total.duplicates}. Lost: {total.lost} of {total.owed:,}. "
        f"Wrongly cleared: {total.wrongly_cleared} of {total.cleared:,}, "
        f"of which {total.back} had gone and come back. "
        f"All events replayed twice in random order, {len(replayed)} time(s): {same}.**"
    )


if __name__ == "__main__":
    sys.exit(main())
