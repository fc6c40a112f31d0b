"""BlazePose's model files for tests, where they are."""

from __future__ import annotations

import os

import pytest

from skelgnn_tf.detection.models import DetectorModels, find_models, models_folder

#: Looked up before the tests get a cache of their own.
PLACE = os.environ.get("SKELGNN_TF_DETECTOR") or models_folder()


def models_or_skip(size: str) -> DetectorModels:
    """The models in $SKELGNN_TF_DETECTOR or in the user's cache."""
    try:
        return find_models(PLACE, size)
    except FileNotFoundError as error:
        pytest.skip(str(error))
