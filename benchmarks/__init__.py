"""Measures, each as a ratio in one run; `make bench` prints them."""

from pathlib import Path
from typing import Final

#: The project's folder, or that of the checkout that these files stand in.
ROOT: Final = Path(__file__).parent.parent
