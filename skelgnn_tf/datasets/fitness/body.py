"""The body: its joints, segment lengths from published anthropometry, and the limits of its joints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skelgnn_tf.skeletons import BLAZEPOSE_33, H36M_17

#: All joints of the generator: Human3.6M's 17, then the other ones of BlazePose, which include COCO's.
JOINTS = H36M_17.joints + tuple(joint for joint in BLAZEPOSE_33.joints if joint not in H36M_17.joints)
INDEX = {joint: i for i, joint in enumerate(JOINTS)}

#: Left, right: the order of every axis of sides. The sign is that of x, which points to the person's right.
SIDES = ("left", "right")
SIDE_SIGN = np.array([-1.0, 1.0])

#: Ranges of the joints in degrees. At 0 knees, elbows, spine and neck are straight, the hip is in line with the lower
#: back, and the ankle is square. Shoulder extension is the angle of an upper arm behind the chest.
#: Source: Norkin & White, Measurement of Joint Motion (2016), widened for deep squats, crouches and heels lifted under
#: body weight. The range of the hip includes the part of the lower back.
LIMITS_DEG = {
    "knee": (0.0, 155.0),
    "elbow": (0.0, 152.0),
    "hip_flexion": (-40.0, 145.0),
    "hip_abduction": (-25.0, 50.0),
    "ankle_flexion": (-55.0, 56.0),
    "spine": (0.0, 55.0),
    "neck": (0.0, 60.0),
    "shoulder_extension": (-90.0, 62.0),
}

# Lengths relative to the body height, and their relative standard deviation between people of the same height.
# thigh, shank, ankle, foot, arm, hand: Drillis & Contini (1966) in Winter, Biomechanics and Motor Control of Human
# Movement, 4th ed. (2009), figure 4.1. The breadths are between joint centers, not skins: hips 0.72 of the bispinous
# breadth (Bell et al., 1990; breadths of ANSUR II, 2012), shoulders biacromial breadth minus 2 cm on each side. The
# upper arm (Winter: 0.186 from the acromion) is 1 cm shorter from its joint. Trunk and head divide Winter's heights
# (hip 0.530, shoulder 0.818, chin 0.870, eye 0.936) at Human3.6M's joints.
_PARTS = {
    "thigh_m": (0.245, 0.030),
    "shank_m": (0.246, 0.030),
    "ankle_height_m": (0.039, 0.060),
    "toe_m": (0.110, 0.040),
    "heel_m": (0.038, 0.060),
    "half_hips_m": (0.053, 0.080),
    "hip_to_spine_m": (0.143, 0.035),
    "spine_to_thorax_m": (0.147, 0.035),
    "thorax_to_neck_m": (0.054, 0.060),
    "neck_to_head_m": (0.127, 0.035),
    "half_shoulders_m": (0.110, 0.055),
    "upper_arm_m": (0.180, 0.035),
    "forearm_m": (0.146, 0.035),
    "hand_m": (0.108, 0.040),
    "depth_m": (0.054, 0.120),
}
# Mean and standard deviation of the body height in meters. Source: ANSUR II (2012), women and men.
_HEIGHTS_M = ((1.629, 0.064), (1.756, 0.069))


@dataclass(frozen=True)
class Body:
    """The height and the segment lengths of a person, the same on both sides.

    `toe_m` and `heel_m` are the distances of the tip of the foot and the heel in front of and behind the ankle.
    `depth_m` is the height of the middle of a lying body above the floor.
    """

    height_m: float
    thigh_m: float
    shank_m: float
    ankle_height_m: float
    toe_m: float
    heel_m: float
    half_hips_m: float
    hip_to_spine_m: float
    spine_to_thorax_m: float
    thorax_to_neck_m: float
    neck_to_head_m: float
    half_shoulders_m: float
    upper_arm_m: float
    forearm_m: float
    hand_m: float
    depth_m: float
    spine_curve: float
    shoulder_drop_m: float

    @property
    def leg_m(self) -> float:
        """Distance from hip to ankle of a straight leg."""
        return self.thigh_m + self.shank_m

    @property
    def arm_m(self) -> float:
        """Distance from shoulder to wrist of a straight arm."""
        return self.upper_arm_m + self.forearm_m

    @cached_property
    def to_spine_m(self) -> np.ndarray:
        """Vector from hip to spine in the pelvis' axes (x right, y forward, z up)."""
        lean = -0.08 - 0.05 * self.spine_curve
        return self.hip_to_spine_m * np.array([0.0, np.sin(lean), np.cos(lean)])

    @cached_property
    def to_thorax_m(self) -> np.ndarray:
        """Vector from spine to thorax in the trunk's axes."""
        lean = 0.01 - 0.05 * self.spine_curve
        return self.spine_to_thorax_m * np.array([0.0, np.sin(lean), np.cos(lean)])

    @cached_property
    def to_neck_m(self) -> np.ndarray:
        """Vector from thorax to neck in the neck's axes."""
        lean = 0.20 + 0.10 * self.spine_curve
        return self.thorax_to_neck_m * np.array([0.0, np.sin(lean), np.cos(lean)])

    @cached_property
    def to_head_m(self) -> np.ndarray:
        """Vector from neck to the top of the head in the head's axes."""
        return self.neck_to_head_m * np.array([0.0, -0.04, np.sqrt(1 - 0.04**2)])

    @cached_property
    def to_shoulders_m(self) -> np.ndarray:
        """Vectors from thorax to the shoulders in the thorax' axes, (sides, 3)."""
        out = np.zeros((2, 3))
        out[:, 0] = SIDE_SIGN * self.half_shoulders_m
        out[:, 2] = -self.shoulder_drop_m
        return out

    @cached_property
    def trunk_m(self) -> np.ndarray:
        """Vector from hip to the middle of the shoulders with a straight spine, (3,)."""
        return self.to_spine_m + self.to_thorax_m + self.to_shoulders_m.mean(axis=0)

    @cached_property
    def face_m(self) -> np.ndarray:
        """Vectors from neck to the landmarks of the face in the head's axes, (FACE, 3)."""
        scale = self.neck_to_head_m / 0.127
        return scale * np.array([_FACE[joint] for joint in FACE])

    @cached_property
    def foot_m(self) -> np.ndarray:
        """Vectors from ankle to foot tip and heel in the foot's axes, (2, 3). Both are 2 cm above the sole."""
        return np.array([[0, self.toe_m, 0.02 - self.ankle_height_m], [0, -self.heel_m, 0.02 - self.ankle_height_m]])


# From the neck joint (height of the chin, 0.87 of the body height), relative to the body height: right, forward, up.
_HALF_FACE = {
    "eye_inner": (0.010, 0.052, 0.066),
    "eye": (0.018, 0.050, 0.067),
    "eye_outer": (0.026, 0.045, 0.067),
    "ear": (0.042, -0.004, 0.056),
    "mouth": (0.014, 0.054, 0.024),
}
_FACE = {"nose": (0.0, 0.066, 0.046)} | {
    f"{side}_{part}": (sign * at[0], at[1], at[2])
    for part, at in _HALF_FACE.items()
    for side, sign in zip(SIDES, SIDE_SIGN, strict=True)
}
FACE = tuple(_FACE)


def draw_body(rng: np.random.Generator) -> Body:
    """Draws a person: half women, half men, with every part near its share of the body height.

    Args:
        rng: The clip's random numbers.

    Returns:
        A `Body`. Parts are within two standard deviations, the height within two and a half.
    """
    mean, deviation = _HEIGHTS_M[int(rng.integers(2))]
    height = mean + deviation * float(np.clip(rng.normal(), -2.5, 2.5))
    spread = np.clip(rng.normal(size=len(_PARTS)), -2, 2)
    parts = {
        name: height * share * (1 + relative * z)
        for (name, (share, relative)), z in zip(_PARTS.items(), spread, strict=True)
    }
    return Body(
        height_m=height,
        **parts,
        spine_curve=float(rng.uniform(-1, 1)),
        shoulder_drop_m=height * float(rng.uniform(-0.008, 0.010)),
    )
