"""The command line: arguments → steps → tables for people, or one JSON document for programs."""

from hydrostruct.cli.main import main

__all__ = ["main"]
