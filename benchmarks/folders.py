"""Where parts that make thousands of files keep them: nothing of it is removed before all is measured.

On some file systems a new file is many times dearer for minutes after others were removed: ext4 without a journal does not give
away again what was freed within five minutes, and looks through all of it for each new one. A part would pay for the one before.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

_FILES = 200


def new_folder() -> Path:
    """An empty folder, which is there until this program ends."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def a_new_file() -> float:
    """Microseconds to make one, at the median: some 20 where nothing was removed lately."""
    folder, seconds = new_folder(), []
    for number in range(_FILES):
        begun = perf_counter()
        (folder / f"{number}").touch()
        seconds.append(perf_counter() - begun)
    return median(seconds) * 1_000_000
