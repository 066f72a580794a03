"""Rendered street scenes and pasted cut-outs for labels that have no real pictures.

`python -m datasets.synthetic --help` lists the commands. Everything under `blender/` runs in an
interpreter that has Blender's `bpy` (extra `synthetic`); the rest of the package never imports it.
"""
