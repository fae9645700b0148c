"""Puts the test folder on the path and gathers what several tests share."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
