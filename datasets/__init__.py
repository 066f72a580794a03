"""Recipes for the pictures the detector learns from; the pictures themselves are not kept here."""
