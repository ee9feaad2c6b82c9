"""Map points beside the other measurements of the same load step."""
