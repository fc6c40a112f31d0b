"""Counts an exercise of one's own, lateral raises, by an angle of the 3D poses.

Example: python examples/custom_exercise.py
         python examples/custom_exercise.py raises.mp4
"""

from __future__ import annotations

import sys

import numpy as np

import skelgnn_tf as sk
from skelgnn_tf.motion import Cycle, CycleCounter, Movement, joint_angles


def count_raises(prediction: sk.inference.Prediction) -> list[Cycle]:
    """Lateral raises: the upper arms rise by at least 40 degrees, at most once in 0.8 s."""
    counter = CycleCounter(Movement(least=40, fastest_s=0.8))
    angles = joint_angles(prediction.poses.pose_m, prediction.poses.skeleton)
    for time_s, left, right in zip(prediction.time_s, angles["left_shoulder"], angles["right_shoulder"], strict=True):
        counter.push(float(np.nanmax([left, right])) if np.isfinite([left, right]).any() else np.nan, time_s)
    counter.finish()
    return counter.cycles


def raises(count: int = 4, seconds: float = 2.5, fps: float = 30.0) -> sk.KeypointSequence:
    """Keypoints of a stick figure that raises its arms to the side, seen from the front."""
    places = {
        "nose": (0, 0.1), "left_shoulder": (0.18, 0.35), "right_shoulder": (-0.18, 0.35), "left_hip": (0.1, 0.9),
        "right_hip": (-0.1, 0.9), "left_knee": (0.1, 1.35), "right_knee": (-0.1, 1.35), "left_ankle": (0.1, 1.75),
        "right_ankle": (-0.1, 1.75),
    }  # fmt: skip
    frames = []
    for t in np.arange(0, count * seconds + 0.5, 1 / fps):
        up = np.deg2rad(45 - 40 * np.cos(2 * np.pi * min(t, count * seconds) / seconds))
        at = dict(places)
        for side, sign in (("left", 1), ("right", -1)):
            x, y = places[f"{side}_shoulder"]
            for joint, length in (("elbow", 0.3), ("wrist", 0.56)):
                at[f"{side}_{joint}"] = (x + sign * length * np.sin(up), y + length * np.cos(up))
            at[f"{side}_eye"], at[f"{side}_ear"] = (sign * 0.03, 0.06), (sign * 0.07, 0.08)
        frames.append([(320 + 200 * at[j][0], 60 + 200 * at[j][1], 1.0) for j in sk.skeletons.get("coco_17").joints])
    return sk.KeypointSequence("raises", np.array([frames], np.float32), "coco_17", (640, 480), fps)


def main() -> None:
    """Counts the file that is named, or a stick figure."""
    source = sys.argv[1] if len(sys.argv) > 1 else raises()
    cycles = count_raises(sk.predict(source, recognizer=None))
    for number, cycle in enumerate(cycles, 1):
        print(f"raise {number}: {cycle.start_s:.1f} to {cycle.end_s:.1f} s, {cycle.rise:.0f} degrees")
    print(f"{len(cycles)} raises")


if __name__ == "__main__":
    main()
