"""What training a lifter needs: the parts that a config chooses."""

import pytest

from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.datasets import fitness
from skelgnn_tf.metrics import keras_l1, keras_mpjpe
from skelgnn_tf.training.lift.task import Lifting


@pytest.mark.parametrize(("name", "loss"), [("mpjpe", keras_mpjpe), ("l1", keras_l1)])
def test_the_config_chooses_the_loss(name, loss):
    assert Lifting(LiftConfig(loss=name, validation=0.0), fitness.generate(1, 0, frames=30)).loss is loss
