"""Walks a plan line by line and renders what does not stand yet, so that a run can be broken off and begun again."""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Callable
from typing import Any


def render_plan(render_one: Callable[[dict[str, Any], pathlib.Path], None]) -> None:
    """Call `render_one` for each line of the plan (first argument) whose NAME.json is not in the folder (second).

    Prints one line of JSON for each: how many are done, of how many, and its name.
    """
    plans = [json.loads(line) for line in pathlib.Path(sys.argv[1]).read_text().splitlines()]
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for count, plan in enumerate(plans, 1):
        if not (folder / f"{plan['name']}.json").exists():
            render_one(plan, folder)
        print(json.dumps({"done": count, "of": len(plans), "name": plan["name"]}), flush=True)
