"""Everything that can be wrong with a labelled set before a model is trained on it."""
