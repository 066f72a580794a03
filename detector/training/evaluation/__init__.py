"""How good a model is, measured on what it will really run as: average precision, thresholds, mistakes, slices,
report.
"""
