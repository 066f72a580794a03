"""From what running cameras saw and people decided to the pictures that are worth labelling next."""
