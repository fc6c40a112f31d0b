"""Puts Google's pose_landmarker_lite.task, which MediaPipe finds 2D keypoints with, into the app's assets.

    python android_demo/detector_asset.py android_demo/app/src/main/assets

Without a network it says which file to put there and leaves the rest of the assets as they are.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from skelgnn_tf.detection.models import download_models

FILE = "pose_landmarker_lite.task"


def copy(folder: Path) -> None:
    """Fetches the file into the cache of `skelgnn-tf detector download` and from there into a folder."""
    target = folder / FILE
    try:
        cached = download_models("lite")
    except (OSError, ValueError) as error:
        print(f"{target} is still missing, as the app will say: {error}; then run make android-assets again")
        return
    shutil.copyfile(cached, target)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    copy(Path(sys.argv[1]))
