"""The folder for downloaded models and parsed data sets."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """Returns $SKELGNN_TF_CACHE, or `skelgnn-tf` in the user's cache folder (on Linux ~/.cache). It may not exist."""
    return Path(os.environ.get("SKELGNN_TF_CACHE") or platformdirs.user_cache_path("skelgnn-tf", appauthor=False))
