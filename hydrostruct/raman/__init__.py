"""Spectrum → edge, vibron, peaks → pressure."""
