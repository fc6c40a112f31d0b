"""A prediction with two squats, of which one is partial, and a plank."""

import numpy as np

from skelgnn_tf.inference.result import Motion, Poses, Prediction
from skelgnn_tf.motion import ANGLES, RepetitionForm
from skelgnn_tf.skeletons import H36M_17

FRAMES, FPS = 240, 30.0
FORMS = (
    RepetitionForm(
        1, "squat", 0.5, 2.7, True, 1.04, 0.31, 0.85, {"left_knee": (8.25, 93.5), "right_knee": (7.0, 95.75)},
        {"knee": -2.25}, 94.6, 90, (),
    ),
    RepetitionForm(
        None, "squat", 2.7, 4.1, False, 0.6, 0.2, 0.6, {"left_knee": (8.0, 41.0), "right_knee": None},
        {"knee": None}, 41.0, 90, ("partial repetition", "depth 41°, target 90°"),
    ),
    RepetitionForm(
        1, "plank", 5.0, 7.5, True, None, 2.5, None, {"left_hip": (4.0, 9.0), "right_hip": (5.0, 8.0)},
        {"hip": 1.0}, None, None, ("held 2.5 s, target 60 s",),
    ),
)  # fmt: skip


def predicted(forms=FORMS):
    """Eight seconds of angles that rise and fall; the right knee is not seen in the second repetition."""
    time_s = np.arange(FRAMES) / FPS
    angles = {name: 50 - 40 * np.cos(2 * np.pi * time_s / 2 + number) for number, name in enumerate(ANGLES)}
    angles["right_knee"][(time_s > 2.8) & (time_s < 4)] = np.nan
    pose_m = np.zeros((FRAMES, 17, 3), np.float32)
    motion = Motion(
        bridged=np.zeros(FRAMES, bool),
        angles_deg=angles,
        exercise=("squat",) * FRAMES,
        repetitions=(time_s >= 2.7).astype(int),
        form=forms,
    )
    return Prediction(
        source="squats.mp4", layout="coco_17", image_size_px=(640, 480), fps=FPS, num_frames=FRAMES, num_persons=1,
        person=0, notes=(), actions=None, motion=motion,
        poses=Poses("lifter", H36M_17, pose_m, 0, pose_m, np.ones((FRAMES, 17), np.float32)),
    )  # fmt: skip
