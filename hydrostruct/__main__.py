"""``python -m hydrostruct``: the command line."""

import sys

from hydrostruct.cli import main

if __name__ == "__main__":
    sys.exit(main())
