"""All that a run found, as one record; tables and NeXus, out and in."""
