"""Command line of the synthetic pictures: `python -m datasets.synthetic --help`."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from datasets.synthetic import cutouts, demo_video, heaps, paste_streets, trucks
from datasets.synthetic.backgrounds import SOURCES, own_labels, read_source
from datasets.synthetic.labels import LABELS
from datasets.synthetic.layout import SetWriter
from datasets.synthetic.paste import make_set
from datasets.synthetic.plan_cutouts import KINDS, plan_cutouts
from datasets.synthetic.plan_scenes import plan_scene
from datasets.synthetic.rendered import collect_scenes

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
console = Console(stderr=True)

Work = Annotated[pathlib.Path, typer.Option(help="Folder for rendered parts; what stands there is kept and used.")]
Data = Annotated[pathlib.Path, typer.Option(help="Folder that holds the real sets (bins-cn, cctv-vn, ...).")]
Out = Annotated[pathlib.Path, typer.Option(help="Where the sets are written, one folder each.")]
Seed = Annotated[int, typer.Option(help="Equal seeds give equal plans.")]
Blender = Annotated[
    pathlib.Path,
    typer.Option(help="Python interpreter that has `bpy` (pip install '.[synthetic]'); this one by default."),
]


def run_blender(python: pathlib.Path, module: str, plan: pathlib.Path, out: pathlib.Path, total: int) -> None:
    """Runs a rendering module in its own process and shows its progress; exits with a plain message on failure."""
    probe = subprocess.run([str(python), "-c", "import bpy"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        console.print(
            f"{python} has no usable `bpy`: install the extra `synthetic` on Python 3.11, or name another "
            f"interpreter with --blender-python.\n{probe.stderr.strip().splitlines()[-1:]}"
        )
        raise typer.Exit(2)
    root = pathlib.Path(__file__).resolve().parents[2]
    with (
        Progress(console=console) as bar,
        subprocess.Popen(
            [str(python), "-m", f"datasets.synthetic.blender.{module}", str(plan.resolve()), str(out.resolve())],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=root,
        ) as child,
    ):
        task = bar.add_task(f"rendering {module}", total=total)
        tail: list[str] = []
        for line in child.stdout or ():
            tail = [*tail[-20:], line]
            if line.startswith("{"):
                bar.update(task, completed=json.loads(line)["done"])
        if child.wait() != 0:
            console.print("".join(tail))
            console.print(f"rendering stopped with code {child.returncode}; run the same command to go on")
            raise typer.Exit(1)


@app.command("cutouts")
def render_cutouts(
    work: Work,
    seed: Seed = 1,
    per_label: Annotated[int, typer.Option(help="Rendered objects per label.", min=5)] = 40,
    samples: Annotated[
        int, typer.Option(help="Cycles samples per pixel; from 16 on without the denoiser, which costs more.", min=1)
    ] = 12,
    label: Annotated[list[str] | None, typer.Option(help="Only these labels; repeat for several.")] = None,
    blender_python: Blender = pathlib.Path(sys.executable),
) -> None:
    """Render single objects with alpha and shadow, for pasting.

    Example: python -m datasets.synthetic cutouts --work /data/synthetic-work --per-label 40
    """
    if unknown := set(label or ()) - set(KINDS):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: not among {', '.join(KINDS)}")
    plans = plan_cutouts(seed, per_label, samples=samples, labels=tuple(label or KINDS))
    work.mkdir(parents=True, exist_ok=True)
    plan = work / "cutouts.jsonl"
    plan.write_text("\n".join(json.dumps(p.as_record()) for p in plans) + "\n")
    run_blender(blender_python, "cutouts", plan, work / "cutouts", len(plans))


def cutouts_of(work: pathlib.Path, labels: set[str]) -> list[cutouts.Rendered]:
    """All rendered cut-outs; ends the command, saying what to do, when a label has none."""
    rendered = cutouts.find(work / "cutouts")
    if missing := sorted(labels - {cutout.label for cutout in rendered}):
        options = " ".join(f"--label {label}" for label in missing)
        console.print(f"{work}/cutouts: no cut-outs of {', '.join(missing)}; run `cutouts {options}` first")
        raise typer.Exit(2)
    return rendered


@app.command("paste")
def paste(
    work: Work,
    data: Data,
    out: Out,
    seed: Seed = 1,
    per_label: Annotated[int, typer.Option(help="Pictures per label over all backgrounds, train part.", min=1)] = 240,
) -> None:
    """Set cut-outs, puddles and adverts into the train pictures of the real sets.

    Example: python -m datasets.synthetic paste --work /data/synthetic-work --data ../shared/data --out /data/synthetic
    """
    rendered = cutouts_of(work, {label for s in SOURCES for label in s.pasted if label in KINDS})
    sources = [s for s in SOURCES if (data / s.name / "data.yaml").exists()]
    if not sources:
        console.print(f"{data}: none of the sets {', '.join(s.name for s in SOURCES)} is there")
        raise typer.Exit(2)
    shares = {label: sum(label in s.pasted for s in sources) for s in sources for label in s.pasted}
    for source in sources:
        wanted = {label: -(-per_label // shares[label]) for label in source.pasted}
        known = tuple(dict.fromkeys((*own_labels(data, source), *source.sure)))
        writer = SetWriter(out / f"paste-{source.name}", known, PASTE_README.format(source=source.name))
        with Progress(console=console) as bar:
            task = bar.add_task(f"paste-{source.name}", total=None)
            make_set(writer, read_source(data, source), rendered, seed, wanted, partial(bar.advance, task, 1))
        console.print(f"paste-{source.name}", writer.finish())


@app.command("scenes")
def render_scenes(
    work: Work,
    out: Annotated[pathlib.Path, typer.Option(help="Where the set `streets` is written.")],
    seed: Seed = 1,
    count: Annotated[int, typer.Option(help="Number of pictures.", min=1)] = 72,
    samples: Annotated[int, typer.Option(help="Cycles samples per pixel (denoised).", min=1)] = 8,
    blender_python: Blender = pathlib.Path(sys.executable),
) -> None:
    """Render whole streets: other cameras, light, weather and placing in each picture.

    Example: python -m datasets.synthetic scenes --work /data/synthetic-work --out /data/synthetic --count 72
    """
    plans = [plan_scene(seed, index, samples=samples) for index in range(count)]
    work.mkdir(parents=True, exist_ok=True)
    plan = work / "scenes.jsonl"
    plan.write_text("\n".join(json.dumps(p.as_record()) for p in plans) + "\n")
    run_blender(blender_python, "scenes", plan, work / "scenes", len(plans))
    console.print("streets", collect_scenes(work / "scenes", [p.name for p in plans], out / "streets"))


@app.command("collect")
def collect(
    work: Work,
    out: Annotated[pathlib.Path, typer.Option(help="Where the set `streets` is written.")],
) -> None:
    """Write the set `streets` from whatever scenes are rendered so far."""
    names = sorted(p.stem for p in (work / "scenes").glob("*.json"))
    console.print("streets", collect_scenes(work / "scenes", names, out / "streets"))


@app.command("multiply")
def multiply(
    work: Work,
    out: Annotated[pathlib.Path, typer.Option(help="Where the set `streets-pasted` is written.")],
    seed: Seed = 1,
    variants: Annotated[int, typer.Option(help="Pictures made of each rendered street.", min=1)] = 4,
) -> None:
    """Set cut-outs into the rendered streets (after `cutouts` and `scenes`), several times each.

    Example: python -m datasets.synthetic multiply --work /data/synthetic-work --out /data/synthetic
    """
    plan_file = work / "scenes.jsonl"
    rendered = cutouts.find(work / "cutouts")
    if not plan_file.exists() or not rendered:
        console.print(f"{work}: needs rendered streets and cut-outs; run `scenes` and `cutouts` first")
        raise typer.Exit(2)
    plan = [json.loads(line) for line in plan_file.read_text().splitlines()]
    writer = SetWriter(out / "streets-pasted", LABELS, STREETS_README)
    with Progress(console=console) as bar:
        task = bar.add_task("streets-pasted", total=None)
        paste_streets.make_set(writer, plan, work / "scenes", rendered, seed, variants, partial(bar.advance, task, 1))
    console.print("streets-pasted", writer.finish())


@app.command("heaps")
def heaps_in_views(
    work: Work,
    data: Data,
    out: Out,
    seed: Seed = 1,
) -> None:
    """Cut real rubbish out of train pictures and set it into the train views of fixed cameras and vehicles.

    Example: python -m datasets.synthetic heaps --work /data/synthetic-work --data ../shared/data --out /data/synthetic
    """
    with Progress(console=console) as bar:
        task = bar.add_task("cutting", total=None)
        if heaps.cut(data, work / "heaps", seed, partial(bar.advance, task, 1)) == 0:
            console.print(f"{data}: none of the sets {', '.join(heaps.CUT_FROM)} with garbage is there")
            raise typer.Exit(2)
    found = cutouts.find(work / "heaps")
    for source in heaps.views():
        if not (data / source.name / "data.yaml").exists():
            continue
        writer = SetWriter(
            out / f"heaps-{source.name}", own_labels(data, source), HEAPS_README.format(source=source.name)
        )
        grounds = read_source(data, source)
        with Progress(console=console) as bar:
            task = bar.add_task(f"heaps-{source.name}", total=len(grounds))
            heaps.fill(writer, grounds, found, seed, partial(bar.advance, task, 1))
        console.print(f"heaps-{source.name}", writer.finish())


@app.command("trucks")
def trucks_in_views(
    work: Work,
    data: Data,
    out: Out,
    seed: Seed = 1,
    pictures: Annotated[int, typer.Option(help="Pictures per set, train part; a sixth as many for val.", min=6)] = 120,
) -> None:
    """Set rendered trucks, with and without an open load, into the train views of the real sets.

    Example: python -m datasets.synthetic trucks --work /data/synthetic-work --data ../shared/data --out /data/synthetic
    """
    found = cutouts_of(work, {trucks.LABEL, "truck"})
    count = {"train": pictures, "val": -(-pictures // 6)}
    for source in trucks.views():
        if not (data / source.name / "data.yaml").exists():
            continue
        known = tuple(dict.fromkeys((*own_labels(data, source), *source.sure)))
        writer = SetWriter(out / f"trucks-{source.name}", known, TRUCKS_README.format(source=source.name))
        with Progress(console=console) as bar:
            task = bar.add_task(f"trucks-{source.name}", total=sum(count.values()))
            trucks.fill(writer, read_source(data, source), found, count, seed, partial(bar.advance, task, 1))
        console.print(f"trucks-{source.name}", writer.finish())


@app.command("demo")
def demo(
    work: Work,
    out: Annotated[pathlib.Path, typer.Option(help="Folder for street.mp4 and street.json.")],
    crf: Annotated[int, typer.Option(help="x264 quality; higher is smaller.", min=1, max=51)] = 27,
    blender_python: Blender = pathlib.Path(sys.executable),
) -> None:
    """Render the demo clip and its truth file.

    Example: python -m datasets.synthetic demo --work /data/synthetic-work --out detector/demo
    """
    layers = work / "demo"
    root = pathlib.Path(__file__).resolve().parents[2]
    if not demo_video.complete(layers):
        command = [str(blender_python), "-m", "datasets.synthetic.blender.demo", str(layers.resolve())]
        if subprocess.run(command, cwd=root, stdout=subprocess.DEVNULL, check=False).returncode != 0:
            console.print("rendering the demo failed; run the same command to go on where it stopped")
            raise typer.Exit(1)
    out.mkdir(parents=True, exist_ok=True)
    with Progress(console=console) as bar:
        task = bar.add_task("composing", total=demo_video.FRAMES)
        demo_video.encode(layers, out / "street.mp4", crf, lambda index: bar.update(task, completed=index + 1))
    (out / "street.json").write_text(json.dumps(demo_video.truth(layers, "street.mp4"), indent=1) + "\n")


STREETS_README = """SYNTHETIC: the rendered streets of the set `streets` with further rendered objects set into them by
`python -m datasets.synthetic multiply`, at the size and angle that the known camera gives. Everything in the picture is
known, so every label is exhaustive. Groups are streets: the variants of one street stay in one split, the same as in
`streets`. A figure on this set says nothing about real streets."""

PASTE_README = """SYNTHETIC objects (rendered cut-outs, drawn puddles and adverts) set into the TRAIN pictures of the
real set `{source}` by `python -m datasets.synthetic paste`. The boxes that the set itself carries are kept.
`exhaustive` names the set's own exhaustive labels and those pasted labels of which its pictures hold practically none
themselves.

Made from `{source}`: its terms apply, do not redistribute. train and val here hold different groups of backgrounds and
different rendered objects, but BOTH come from the train split of `{source}`: never use this val part to judge the
set's own labels. A figure on the synthetic labels says nothing about real streets."""


HEAPS_README = """Real rubbish, cut out of TRAIN pictures of other sets, set into the TRAIN pictures of the real set
`{source}` by `python -m datasets.synthetic heaps`. The heaps are real, their place and size are not. The boxes that
the set itself carries are kept; `exhaustive` names the set's own exhaustive labels: other rubbish
may lie there unboxed.

Made from real sets: their terms apply, do not redistribute. train and val here BOTH come from train splits: never use
this val part to judge a model."""

TRUCKS_README = """SYNTHETIC trucks (rendered cut-outs) set into the TRAIN pictures of the real set `{source}` by
`python -m datasets.synthetic trucks`: half with an open heap of soil, sand or rubble (boxes `truck` and
`uncovered_load`, one over the other), half under a sheet, under a lid, empty, with piece goods or with a closed body
(`truck` alone). The boxes that the set itself carries are kept. `exhaustive` names the set's own exhaustive labels and
`uncovered_load`.

Made from `{source}`: its terms apply, do not redistribute. train and val here hold different groups of backgrounds and
different rendered trucks, but BOTH come from the train split of `{source}`: never use this val part to judge the
set's own labels. A figure on it says nothing about real trucks."""


if __name__ == "__main__":
    app()
