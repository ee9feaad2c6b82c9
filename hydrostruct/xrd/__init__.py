"""Diffraction: image → pattern → fit."""
