"""A prediction as a scene that `skelgnn_tf.video` renders."""

from __future__ import annotations

from collections.abc import Sequence

from skelgnn_tf import skeletons
from skelgnn_tf.inference.result import Prediction
from skelgnn_tf.keypoints.reader import KeypointFile
from skelgnn_tf.rendering.scene import Scene


def scene_of(prediction: Prediction, file: KeypointFile, words: Sequence[Sequence[str]] = ()) -> Scene:
    """The followed person's keypoints, on the lifter's joints, and poses; each frame's action, and more words.

    Args:
        prediction: What the models said.
        file: The keypoints that they said it of.
        words: For each frame further lines, such as repetitions and angles; or nothing.

    Raises:
        ValueError: Words for more or fewer frames than there are.
    """
    poses, actions = prediction.poses, prediction.actions
    skeleton = skeletons.get(file.layout) if poses is None else poses.skeleton
    captions = [tuple(lines) for lines in words]
    if actions is not None:
        captions = captions or [()] * prediction.num_frames
        best = actions.decisions.frame_probabilities.argmax(axis=1)
        sure = actions.decisions.frame_probabilities.max(axis=1)
        captions = [
            (f"{actions.classes[label]} {share:.0%}", *lines)
            for label, share, lines in zip(best, sure, captions, strict=True)
        ]
    return Scene(
        title=prediction.source,
        fps=prediction.fps,
        image_size_px=prediction.image_size_px,
        skeleton=skeleton,
        keypoints_px=skeletons.map_keypoints(file.keypoints[prediction.person], file.layout, skeleton),
        pose_m=None if poses is None else poses.pose_m,
        captions=tuple(captions),
    )
