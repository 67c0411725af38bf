"""Remove what an interrupted build has left, which setuptools would take for whole."""

import shutil
import sys
from pathlib import Path

for folder in Path(sys.argv[1]).glob("*/build"):
    shutil.rmtree(folder)
