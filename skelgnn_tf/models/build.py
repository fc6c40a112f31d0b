"""From a config to its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skelgnn_tf import skeletons
from skelgnn_tf.models.action_recognizer import ActionRecognizer
from skelgnn_tf.models.pose_lifter import PoseLifter

if TYPE_CHECKING:
    from skelgnn_tf.configs import ActionConfig, LiftConfig


def build_model(config: LiftConfig | ActionConfig, classes: tuple[str, ...] = ()) -> PoseLifter | ActionRecognizer:
    """The model that a config describes, with fresh weights.

    Args:
        config: For action recognition without "auto" (`training.action.task.settled`).
        classes: Class names, for action recognition.
    """
    skeleton = skeletons.get(config.skeleton)
    arguments = config.model_arguments()
    if config.task == "lift":
        model: PoseLifter | ActionRecognizer = PoseLifter(skeleton, **arguments)
    else:
        model = ActionRecognizer(classes, skeleton, **arguments)
    model.build(model.input_axes)
    return model
