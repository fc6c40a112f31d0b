"""Targets: what a good repetition of each exercise looks like, from a TOML file."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from skelgnn_tf.motion.joint_angles import ANGLES

_SHIPPED = Path(__file__).with_name("targets.toml")
#: {name of an angle in a file: the angles of `joint_angles` that it stands for}, left before right.
SIDES: dict[str, tuple[str, ...]] = {}
for _angle in ANGLES:
    _joint = _angle.removeprefix("left_").removeprefix("right_")
    SIDES[_joint] = (*SIDES.get(_joint, ()), _angle)


@dataclasses.dataclass(frozen=True)
class Target:
    """What a good repetition of an exercise looks like.

    Args:
        angles: Names of `SIDES` that are measured: "knee", "trunk_lean", ... The first one is the angle of depth.
        depth_deg: The angle of depth must reach this, in degrees; None for any depth.
        asymmetry_deg: Left and right of the angle of depth must not differ by more than this; None for any difference.
        hold_s: The end position must be held for this long, in seconds; None for any time.

    Raises:
        ValueError: A value has the wrong type, is out of range or is no angle.

    Example:
        >>> Target(("knee", "hip"), depth_deg=90).angles[0]
        'knee'
    """

    angles: tuple[str, ...] = ()
    depth_deg: float | None = None
    asymmetry_deg: float | None = None
    hold_s: float | None = None

    def __post_init__(self) -> None:
        names = self.angles
        if not isinstance(names, (list, tuple)) or not all(isinstance(one, str) and one in SIDES for one in names):
            raise ValueError(f"angles must be a list of {', '.join(SIDES)}. Received: {names!r}.")
        object.__setattr__(self, "angles", tuple(names))
        for field, most, unit in (
            ("depth_deg", 180, "degrees"),
            ("asymmetry_deg", 180, "degrees"),
            ("hold_s", math.inf, "s"),
        ):
            value = getattr(self, field)
            if value is None:
                continue
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
            if not is_number or not 0 <= value <= most:
                to = f"from 0 to {most} {unit}" if most < math.inf else f"of 0 {unit} or more"
                raise ValueError(f"{field} must be a number {to}. Received: {value!r}.")


@cache
def default_targets() -> Mapping[str, Target]:
    """The shipped targets by exercise. `motion/targets.toml` names their sources."""
    return {exercise: Target(**values) for exercise, values in _tables(_SHIPPED).items()}


def read_targets(path: str | Path) -> Mapping[str, Target]:
    """Targets by exercise: those in a file, and the shipped ones where the file says nothing.

    Args:
        path: TOML file with a table for each exercise. Its keys are the fields of `Target`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not TOML, an unknown exercise or key, or a value that `Target` refuses.

    Example:
        >>> read_targets("mine.toml")["squat"].depth_deg  # doctest: +SKIP
        100
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: the targets must be a TOML file. Nothing was found.")
    targets = dict(default_targets())
    for exercise, values in _tables(path).items():
        if exercise not in targets:
            raise ValueError(f"{path}: an exercise must be one of {', '.join(targets)}. Received: {exercise}.")
        if not isinstance(values, dict):
            raise ValueError(f"{path}: {exercise} must be a table, [{exercise}]. Received: {values!r}.")
        fields = [field.name for field in dataclasses.fields(Target)]
        for key in values:
            if key not in fields:
                raise ValueError(f"{path}: a key of [{exercise}] must be one of {', '.join(fields)}. Received: {key}.")
        try:
            targets[exercise] = dataclasses.replace(targets[exercise], **values)
        except ValueError as error:
            raise ValueError(f"{path}: [{exercise}] {error}") from error
    return targets


def _tables(path: Path) -> dict[str, Any]:
    # It takes a moment to import, and predictions without repetitions do not need it.
    import tomlkit
    import tomlkit.exceptions

    try:
        return tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()
    except (tomlkit.exceptions.ParseError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: the targets must be a TOML file. Received: {error}.") from error
