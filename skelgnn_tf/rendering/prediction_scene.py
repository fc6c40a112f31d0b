"""Converts a prediction to a scene."""

from __future__ import annotations

from collections.abc import Sequence

from skelgnn_tf import skeletons
from skelgnn_tf.inference.result import Prediction
from skelgnn_tf.keypoints import KeypointSequence
from skelgnn_tf.rendering.scene import Scene


def scene_of(prediction: Prediction, sequence: KeypointSequence, captions: Sequence[Sequence[str]] = ()) -> Scene:
    """Returns the scene of the followed person: keypoints on the joints of the lifter, poses, and captions.

    Joints that were not seen are ghosts.

    Args:
        prediction: The prediction.
        sequence: The keypoints that it was made from.
        captions: More lines for each frame below the action, such as repetitions and angles; empty for none.

    Raises:
        ValueError: The number of captions is not the number of frames.
    """
    poses, actions = prediction.poses, prediction.actions
    skeleton = skeletons.get(sequence.layout) if poses is None else poses.skeleton
    lines = [tuple(more) for more in captions]
    if actions is not None:
        lines = lines or [()] * prediction.num_frames
        probabilities = actions.decisions.frame_probabilities
        lines = [
            (actions.name(label) + (f" {of_frame[label]:.0%}" if label >= 0 else ""), *more)
            for label, of_frame, more in zip(actions.labels, probabilities, lines, strict=True)
        ]
    return Scene(
        title=prediction.source,
        fps=prediction.fps,
        image_size_px=prediction.image_size_px,
        skeleton=skeleton,
        keypoints_px=skeletons.map_keypoints(sequence.keypoints[prediction.person], sequence.layout, skeleton),
        pose_m=None if poses is None else poses.pose_m,
        guess_m=None if poses is None else poses.guess_m,
        captions=tuple(lines),
    )
