"""A city on one day, to measure what the rules, the life cycle and the desk make of a street full of problems."""
