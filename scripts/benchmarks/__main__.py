"""Runs the benchmarks beside this file one after another and writes docs/benchmarks.md.

A benchmark is a file `NAME.py` with a function `measure() -> dict`, run in a process of its own so that none warms or
crowds another; files that begin with `_` hold what several share. The dict holds

    title    heading of its section
    about    what is measured and how, a sentence or two
    columns  heads of the table          rows    its lines, as long as `columns`
    ratios   [{"name", "ratio", "target", "holds"}], each measured within this one run; `target` in words
    notes    further lines (optional)

A benchmark that is not run keeps its section. Exits with 1 when a benchmark fails or a target is missed.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "benchmarks.md"
TIMED = ("av", "numpy", "onnxruntime", "opencv-python", "openvino", "sqlalchemy", "torch", "ultralytics")

CALL = """
import json, os, runpy, sys
sys.path.insert(0, os.path.dirname(sys.argv[1]))  # as when the file is run itself: what benchmarks share lies there
result = runpy.run_path(sys.argv[1], run_name="benchmark")["measure"]()
print("\\n" + json.dumps(result))
"""


def main(words: list[str]) -> int:
    """Run those whose name contains one of `words`, all without any."""
    files = [f for f in sorted(HERE.glob("*.py")) if not f.stem.startswith("_")]
    wanted = [f for f in files if not words or any(word in f.stem for word in words)]
    if not wanted:
        print(f"no benchmark is named so; there are: {', '.join(f.stem for f in files)}", file=sys.stderr)
        return 2
    sections = sections_of(PAGE.read_text("utf-8")) if PAGE.exists() else {}
    sections = {name: text for name, text in sections.items() if name in {f.stem for f in files}}
    bad = 0
    for file in wanted:
        print(f"== {file.stem}", flush=True)
        result = run(file)
        if result is None:
            bad += 1
            continue
        sections[file.stem] = section(file.stem, result)
        print(sections[file.stem], flush=True)
        bad += sum(not ratio["holds"] for ratio in result.get("ratios", []))
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(sections), "utf-8")
    return 1 if bad else 0


def run(file: Path) -> dict[str, Any] | None:
    """What the benchmark returns; None after saying why there is nothing."""
    done = subprocess.run([sys.executable, "-c", CALL, str(file)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print(f"{file.stem} ended with {done.returncode}", file=sys.stderr)
        return None
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def section(name: str, result: dict[str, Any]) -> str:
    """The Markdown of one benchmark."""
    parts = [f"<!-- {name} -->", f"## {result['title']}", "", result["about"], "", f"Measured {when()} on {machine()}."]
    if result.get("rows"):
        parts += ["", *table(result["columns"], result["rows"])]
    ratios = result.get("ratios", [])
    if ratios:
        lines = [[r["name"], shown(r["ratio"]), r["target"], "yes" if r["holds"] else "**no**"] for r in ratios]
        parts += ["", *table(["ratio", "measured", "target", "reached"], lines)]
    parts += ["", *[f"- {note}" for note in result.get("notes", [])]]
    return "\n".join(parts).rstrip() + "\n"


def table(columns: list[str], rows: list[list[Any]]) -> list[str]:
    """Lines of a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return ["| " + " | ".join(shown(cell) for cell in line) + " |" for line in lines]


def shown(value: Any) -> str:
    """Three significant digits for a float, everything else as it is."""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return "" if value is None else str(value)


def page(sections: dict[str, str]) -> str:
    """The whole page."""
    head = (
        "# Benchmarks\n\nWritten by `scripts/bench`. Ratios compare two ways within one run on one machine;"
        " absolute figures are of that machine.\n"
    )
    return "\n".join([head, *[sections[name] for name in sorted(sections)]])


def sections_of(text: str) -> dict[str, str]:
    """The sections of an earlier page by the name of their benchmark."""
    parts = re.split(r"^<!-- (\S+) -->$", text, flags=re.MULTILINE)
    return {name: f"<!-- {name} -->{body.rstrip()}\n" for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def when() -> str:
    """Today, UTC."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def machine() -> str:
    """Processor, cores, memory and the versions that matter."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = re.findall(r"^model name\s*:\s*(.+)$", info.read_text("utf-8"), re.MULTILINE)
        name = models[0] if models else name
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = []
    for package in TIMED:
        try:
            packages.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return (
        f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, {', '.join(packages)}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
