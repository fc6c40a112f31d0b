"""What trained models say of a file: `skelgnn-tf predict`."""

from skelgnn_tf.prediction.files import save
from skelgnn_tf.prediction.predict import Trained, predict, run
from skelgnn_tf.prediction.result import Actions, Poses, Prediction, Segment

__all__ = ["Actions", "Poses", "Prediction", "Segment", "Trained", "predict", "run", "save"]
