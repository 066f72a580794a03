"""Light, camera and the rendering of a picture together with its object masks."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from datasets.synthetic.blender import materials
from datasets.synthetic.blender.meshes import Object

THREADS = 2


def clear() -> None:
    """An empty scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    materials.forget()
    bpy.context.scene.world = bpy.data.worlds.new("world")
    bpy.context.scene.world.use_nodes = True


def daylight(elevation: float, azimuth: float, cloud: float, strength: float = 1.0) -> None:
    """Sky and sun. Degrees; `cloud` 0 (clear) to 1 (overcast, no shadows).

    `azimuth` 0 lights the far shop fronts squarely, positive turns the sun towards +x's left.
    """
    world = bpy.context.scene.world
    nodes, links = world.node_tree.nodes, world.node_tree.links
    background = nodes["Background"]
    sky = nodes.new("ShaderNodeTexSky")
    sky.sky_type = "NISHITA"
    sky.sun_disc = False
    sky.sun_elevation = math.radians(elevation)
    sky.sun_rotation = math.radians(180 - azimuth)
    sky.dust_density = 2.0
    grey = nodes.new("ShaderNodeMixRGB")
    grey.inputs["Fac"].default_value = cloud
    grey.inputs["Color2"].default_value = (7.5, 7.8, 8.2, 1.0)
    links.new(sky.outputs["Color"], grey.inputs["Color1"])
    links.new(grey.outputs["Color"], background.inputs["Color"])
    background.inputs["Strength"].default_value = 0.12 * strength
    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy = max(0.0, 6.5 * (1 - cloud)) * strength
    sun.angle = math.radians(0.6 + 20 * cloud)
    warmth = max(0.0, 1 - elevation / 35)
    sun.color = (1.0, 0.95 - 0.25 * warmth, 0.88 - 0.45 * warmth)
    thing = bpy.data.objects.new("sun", sun)
    thing.rotation_euler = (math.radians(90 - elevation), 0, math.radians(azimuth))
    bpy.context.scene.collection.objects.link(thing)


def moonlight() -> None:
    """Night sky: what is left is the street lamps and the windows."""
    background = bpy.context.scene.world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (0.05, 0.07, 0.13, 1.0)
    background.inputs["Strength"].default_value = 0.35


def camera(
    at: tuple[float, float, float],
    look_at: tuple[float, float, float],
    view_angle: float,
) -> Any:
    """A camera at `at` aimed at `look_at`; `view_angle` is the horizontal angle in degrees."""
    lens = bpy.data.cameras.new("camera")
    lens.angle = math.radians(view_angle)
    lens.clip_end = 300.0
    thing = bpy.data.objects.new("camera", lens)
    thing.location = at
    aim = Vector(look_at) - Vector(at)
    thing.rotation_euler = aim.to_track_quat("-Z", "Y").to_euler()
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.scene.camera = thing
    return thing


def quality(
    size: tuple[int, int],
    samples: int,
    seed: int,
    *,
    transparent: bool = False,
    denoise: bool = True,
    exposure: float = 0.0,
) -> None:
    """Cycles on the CPU with few samples and, unless told otherwise, OpenImageDenoise."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.render.film_transparent = transparent
    scene.render.threads_mode, scene.render.threads = "FIXED", THREADS
    scene.render.use_persistent_data = True
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA" if transparent else "RGB"
    scene.render.image_settings.compression = 30
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = exposure
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.seed = "CPU", samples, seed
    cycles.use_adaptive_sampling, cycles.adaptive_threshold = True, 0.03
    cycles.use_denoising, cycles.denoiser = denoise, "OPENIMAGEDENOISE"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 2, 2
    cycles.transmission_bounces, cycles.transparent_max_bounces = 2, 8
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0


def number(things: Iterable[Object], index: int) -> None:
    """Marks a group so that its pixels can be told apart in the mask."""
    for thing in things:
        thing.pass_index = index


def render(path: pathlib.Path, random: Random | None = None) -> NDArray[np.int32]:
    """Writes the picture and returns the (H, W) mask of `number` indices seen in each pixel."""
    scene = bpy.context.scene
    bpy.context.view_layer.use_pass_object_index = True
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    layers = tree.nodes.new("CompositorNodeRLayers")
    composite = tree.nodes.new("CompositorNodeComposite")
    tree.links.new(layers.outputs["Image"], composite.inputs["Image"])
    out = tree.nodes.new("CompositorNodeOutputFile")
    out.base_path = str(path.parent)
    out.format.file_format, out.format.color_depth = "OPEN_EXR", "32"
    out.format.color_mode = "RGB"
    out.file_slots.clear()
    stem = f".{path.stem}-index-"
    out.file_slots.new(stem)
    tree.links.new(layers.outputs["IndexOB"], out.inputs[0])
    partial = path.with_name(f".{path.stem}-partial.png")
    scene.render.filepath = str(partial)
    bpy.ops.render.render(write_still=True)
    exr = next(path.parent.glob(f"{stem}*.exr"))
    picture = bpy.data.images.load(str(exr))
    width, height = picture.size
    pixels = np.empty(width * height * picture.channels, np.float32)
    picture.pixels.foreach_get(pixels)
    bpy.data.images.remove(picture)
    exr.unlink()
    mask = pixels.reshape(height, width, -1)[::-1, :, 0]
    partial.rename(path)
    return np.rint(mask).astype(np.int32)


@contextmanager
def window(left: int, top: int, right: int, bottom: int) -> Iterator[None]:
    """Renders only a part of the picture (pixels, top left origin), cropped to it."""
    render_settings = bpy.context.scene.render
    width, height = render_settings.resolution_x, render_settings.resolution_y
    render_settings.use_border = render_settings.use_crop_to_border = True
    render_settings.border_min_x, render_settings.border_max_x = left / width, right / width
    render_settings.border_min_y = 1 - bottom / height
    render_settings.border_max_y = 1 - top / height
    try:
        yield
    finally:
        render_settings.use_border = render_settings.use_crop_to_border = False
