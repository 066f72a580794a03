"""The part that needs `bpy`: objects, light, camera, rendering. Imports only numpy beside Blender.

Frame of reference in every module: metres, x along the road, y across it towards the far shop
fronts, z up; the road surface is z = 0.
"""
