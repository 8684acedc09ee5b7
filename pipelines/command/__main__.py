"""Runs the command. A wheel ships this module as `thinfile/__main__.py`, for `python -m thinfile`."""

import sys

from thinfile import main

sys.exit(main())
