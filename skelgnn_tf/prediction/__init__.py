"""What trained models say of a file: `skelgnn-tf predict`."""

from skelgnn_tf.prediction.files import notes_on, save
from skelgnn_tf.prediction.predict import Trained, predict, run
from skelgnn_tf.prediction.result import Actions, Poses, Prediction, Segment

__all__ = ["Actions", "Poses", "Prediction", "Segment", "Trained", "notes_on", "predict", "run", "save"]
