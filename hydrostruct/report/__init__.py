"""Figures: each draws one record on the axes that it is given."""
