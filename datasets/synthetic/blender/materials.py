"""Surfaces made of Cycles nodes; no picture files are needed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import bpy

RGB = tuple[float, float, float]
Maker = TypeVar("Maker", bound=Callable[..., Any])

_made: dict[tuple[Any, ...], Any] = {}


def shared(maker: Maker) -> Maker:
    """Equal arguments give the same material again: Cycles compiles each one, and a street asks for a thousand."""

    @functools.wraps(maker)
    def once(*args: Any, **options: Any) -> Any:
        key = (maker.__name__, args, tuple(sorted(options.items())))
        if key not in _made:
            _made[key] = maker(*args, **options)
        return _made[key]

    return cast(Maker, once)


def forget() -> None:
    """To be called when the scene is emptied: its materials are gone."""
    _made.clear()


def _empty(name: str) -> tuple[Any, Any, Any, Any]:
    """A new material with its nodes, links and Principled BSDF."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    return material, nodes, links, nodes["Principled BSDF"]


def _coordinates(nodes: Any, links: Any, world: bool) -> Any:
    """World position for surfaces joined of many meshes, object coordinates otherwise."""
    if world:
        return nodes.new("ShaderNodeNewGeometry").outputs["Position"]
    return nodes.new("ShaderNodeTexCoord").outputs["Object"]


def _noise(nodes: Any, links: Any, where: Any, scale: float, detail: float = 4.0) -> Any:
    noise = nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = scale
    noise.inputs["Detail"].default_value = detail
    links.new(where, noise.inputs["Vector"])
    return noise.outputs["Fac"]


def _ramp(nodes: Any, links: Any, fac: Any, low: RGB, high: RGB, a: float, b: float) -> Any:
    ramp = nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = a, b
    ramp.color_ramp.elements[0].color = (*low, 1.0)
    ramp.color_ramp.elements[1].color = (*high, 1.0)
    links.new(fac, ramp.inputs["Fac"])
    return ramp.outputs["Color"]


def _mix(nodes: Any, links: Any, first: Any, second: Any, blend: str, fac: float | Any) -> Any:
    mix = nodes.new("ShaderNodeMixRGB")
    mix.blend_type = blend
    links.new(first, mix.inputs["Color1"])
    links.new(second, mix.inputs["Color2"])
    if isinstance(fac, float):
        mix.inputs["Fac"].default_value = fac
    else:
        links.new(fac, mix.inputs["Fac"])
    return mix.outputs["Color"]


def _bump(nodes: Any, links: Any, shader: Any, height: Any, strength: float) -> None:
    bump = nodes.new("ShaderNodeBump")
    bump.inputs["Strength"].default_value = strength
    bump.inputs["Distance"].default_value = 0.02
    links.new(height, bump.inputs["Height"])
    links.new(bump.outputs["Normal"], shader.inputs["Normal"])


def shade(rgb: RGB, factor: float) -> RGB:
    """`rgb` made lighter (factor > 1) or darker, kept inside 0..1."""
    return (min(1.0, rgb[0] * factor), min(1.0, rgb[1] * factor), min(1.0, rgb[2] * factor))


@shared
def surface(
    rgb: RGB,
    roughness: float = 0.7,
    *,
    metallic: float = 0.0,
    grain: float = 8.0,
    spread: float = 0.25,
    bump: float = 0.0,
    bump_scale: float = 30.0,
    world: bool = False,
) -> Any:
    """A painted, worn or crumpled surface: colour varied by noise, optional bumps.

    `grain` and `bump_scale` are noise frequencies per metre, `spread` the relative change of
    brightness between the darkest and the lightest spot.
    """
    material, nodes, links, shader = _empty("surface")
    where = _coordinates(nodes, links, world)
    fac = _noise(nodes, links, where, grain)
    colour = _ramp(nodes, links, fac, shade(rgb, 1 - spread), shade(rgb, 1 + spread), 0.35, 0.65)
    links.new(colour, shader.inputs["Base Color"])
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Metallic"].default_value = metallic
    if bump:
        _bump(nodes, links, shader, _noise(nodes, links, where, bump_scale, 6.0), bump)
    return material


@shared
def bag_film(rgb: RGB, roughness: float = 0.28) -> Any:
    """Thin plastic of a rubbish bag: glossy, with crease bumps of two sizes."""
    material, nodes, links, shader = _empty("bag")
    where = _coordinates(nodes, links, False)
    crease = nodes.new("ShaderNodeTexVoronoi")
    crease.feature = "DISTANCE_TO_EDGE"
    crease.inputs["Scale"].default_value = 9.0
    warp = _mix(nodes, links, where, _noise(nodes, links, where, 5.0), "ADD", 0.35)
    links.new(warp, crease.inputs["Vector"])
    height = _mix(nodes, links, crease.outputs["Distance"], _noise(nodes, links, where, 26.0), "ADD", 0.3)
    _bump(nodes, links, shader, height, 0.9)
    shader.inputs["Base Color"].default_value = (*rgb, 1.0)
    shader.inputs["Roughness"].default_value = roughness
    return material


@shared
def asphalt(rgb: RGB = (0.085, 0.085, 0.088), wet: float = 0.0) -> Any:
    """Road surface: grit, large stains, darker wheel tracks along x; `wet` 0..1."""
    material, nodes, links, shader = _empty("asphalt")
    where = _coordinates(nodes, links, True)
    base = 1.0 - 0.45 * wet
    grit = _ramp(
        nodes,
        links,
        _noise(nodes, links, where, 90.0, 2.0),
        shade(rgb, 0.7 * base),
        shade(rgb, 1.35 * base),
        0.3,
        0.7,
    )
    stain = _ramp(
        nodes,
        links,
        _noise(nodes, links, where, 0.45, 6.0),
        (0.78, 0.78, 0.79),
        (1.0, 1.0, 1.0),
        0.34,
        0.6,
    )
    split = nodes.new("ShaderNodeSeparateXYZ")
    links.new(where, split.inputs["Vector"])
    wave = nodes.new("ShaderNodeMath")
    wave.operation = "SINE"
    scaled = nodes.new("ShaderNodeMath")
    scaled.operation = "MULTIPLY"
    scaled.inputs[1].default_value = 3.6
    links.new(split.outputs["Y"], scaled.inputs[0])
    links.new(scaled.outputs["Value"], wave.inputs[0])
    track = _ramp(nodes, links, wave.outputs["Value"], (0.86, 0.86, 0.86), (1.0, 1.0, 1.0), 0.0, 1.0)
    colour = _mix(nodes, links, grit, stain, "MULTIPLY", 1.0)
    colour = _mix(nodes, links, colour, track, "MULTIPLY", 1.0)
    links.new(colour, shader.inputs["Base Color"])
    shader.inputs["Roughness"].default_value = 0.9 - 0.6 * wet
    _bump(nodes, links, shader, _noise(nodes, links, where, 140.0, 3.0), 0.5)
    return material


@shared
def paving(rgb: RGB, accent: RGB, width: float, height: float, axis: str = "XY") -> Any:
    """Paving slabs, wall tiles or bricks; slab size in metres, laid in the plane `axis`."""
    material, nodes, links, shader = _empty("paving")
    where = _coordinates(nodes, links, True)
    vector = where
    if axis == "XZ":
        split = nodes.new("ShaderNodeSeparateXYZ")
        join = nodes.new("ShaderNodeCombineXYZ")
        links.new(where, split.inputs["Vector"])
        links.new(split.outputs["X"], join.inputs["X"])
        links.new(split.outputs["Z"], join.inputs["Y"])
        vector = join.outputs["Vector"]
    brick = nodes.new("ShaderNodeTexBrick")
    brick.inputs["Color1"].default_value = (*rgb, 1.0)
    brick.inputs["Color2"].default_value = (*accent, 1.0)
    brick.inputs["Mortar"].default_value = (*shade(rgb, 0.45), 1.0)
    brick.inputs["Scale"].default_value = 1.0
    brick.inputs["Mortar Size"].default_value = 0.012 * min(1.0, width * 3)
    brick.inputs["Brick Width"].default_value = width
    brick.inputs["Row Height"].default_value = height
    links.new(vector, brick.inputs["Vector"])
    dirt = _ramp(
        nodes,
        links,
        _noise(nodes, links, where, 0.9, 7.0),
        (0.6, 0.58, 0.55),
        (1.0, 1.0, 1.0),
        0.3,
        0.6,
    )
    colour = _mix(nodes, links, brick.outputs["Color"], dirt, "MULTIPLY", 0.8)
    links.new(colour, shader.inputs["Base Color"])
    shader.inputs["Roughness"].default_value = 0.75
    _bump(nodes, links, shader, brick.outputs["Fac"], -0.3)
    return material


@shared
def glass(rgb: RGB = (0.03, 0.04, 0.045), alpha: float = 1.0) -> Any:
    """Dark reflecting pane seen from outside; `alpha` below 1 lets what is behind it through."""
    material, _, _, shader = _empty("glass")
    shader.inputs["Base Color"].default_value = (*rgb, 1.0)
    shader.inputs["Roughness"].default_value = 0.06
    shader.inputs["Specular IOR Level"].default_value = 0.9
    shader.inputs["Alpha"].default_value = alpha
    return material


@shared
def water() -> Any:
    """Shallow dirty water: nearly black, mirror-like, faint ripples."""
    material, nodes, links, shader = _empty("water")
    where = _coordinates(nodes, links, True)
    shader.inputs["Base Color"].default_value = (0.035, 0.032, 0.026, 1.0)
    shader.inputs["Roughness"].default_value = 0.03
    shader.inputs["Specular IOR Level"].default_value = 0.8
    _bump(nodes, links, shader, _noise(nodes, links, where, 3.0, 2.0), 0.05)
    return material


@shared
def paint(rgb: RGB) -> Any:
    """Car paint."""
    material, _, _, shader = _empty("paint")
    shader.inputs["Base Color"].default_value = (*rgb, 1.0)
    shader.inputs["Roughness"].default_value = 0.3
    shader.inputs["Metallic"].default_value = 0.25
    shader.inputs["Coat Weight"].default_value = 0.7
    return material


@shared
def glow(rgb: RGB, strength: float) -> Any:
    """A lamp, a lit sign or a lit window."""
    material, _, _, shader = _empty("glow")
    shader.inputs["Base Color"].default_value = (*rgb, 1.0)
    shader.inputs["Emission Color"].default_value = (*rgb, 1.0)
    shader.inputs["Emission Strength"].default_value = strength
    return material
