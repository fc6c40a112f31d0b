"""Copies pose_landmarker_lite.task, the model of MediaPipe's 2D keypoint detector, into the app's assets.

    python android_demo/detector_asset.py android_demo/app/src/main/assets

Without a network connection, it prints which file to add by hand. Other assets are not changed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from skelgnn_tf.detection.downloads import download_models

FILE = "pose_landmarker_lite.task"


def copy(folder: Path) -> None:
    """Downloads the file to the cache of `skelgnn-tf detector download` and copies it into a folder."""
    target = folder / FILE
    try:
        cached = download_models("lite")
    except (OSError, ValueError) as error:
        print(f"{target} is missing: {error}\nAdd it and run make android-assets again.")
        return
    shutil.copyfile(cached, target)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    copy(Path(sys.argv[1]))
