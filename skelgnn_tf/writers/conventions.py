"""What several formats have in common: the axes of poses and the precision of text."""

from __future__ import annotations

from typing import Any

import numpy as np

#: The axes of poses in JSON and NPZ files.
AXES = "camera: x right, y down, z forward"
#: Camera axes (x right, y down, z forward) -> axes of motion files (x right, y up, z towards the camera), a half turn
#: about x.
Y_UP = np.array([1.0, -1.0, -1.0])
#: Decimals of meters, seconds and probabilities in text files. Five are hundredths of a millimeter.
DECIMALS = 5


def rounded(values: np.ndarray | float) -> Any:
    """Values with `DECIMALS` decimals, as nested lists or a number."""
    return np.round(np.asarray(values, float), DECIMALS).tolist()
