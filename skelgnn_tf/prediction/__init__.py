"""What trained models say of a video or of keypoints: `skelgnn-tf predict`."""

from skelgnn_tf.prediction.command import run
from skelgnn_tf.prediction.exported import ExportedModel
from skelgnn_tf.prediction.files import notes_on, save
from skelgnn_tf.prediction.moving import moving
from skelgnn_tf.prediction.predict import Trained, predict
from skelgnn_tf.prediction.result import Actions, Motion, Poses, Prediction, Segment

__all__ = [
    "Actions",
    "ExportedModel",
    "Motion",
    "Poses",
    "Prediction",
    "Segment",
    "Trained",
    "moving",
    "notes_on",
    "predict",
    "run",
    "save",
]
