"""Training on JAX with data on the device: seeds side by side learn what each learns alone, by `fit`'s arithmetic."""

import os
import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("jax")

SCRIPT = """
import numpy as np, keras
from skelgnn_tf import skeletons
from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.datasets import fitness
from skelgnn_tf.metrics import keras_mpjpe
from skelgnn_tf.models.build import build_model
from skelgnn_tf.training.lift.batches import Batcher, cut_windows
from skelgnn_tf.training.on_device import DeviceTraining, JaxDraws, lifting_batches
import jax

config = LiftConfig(channels=2, blocks=1, max_hops=1, dynamic=False, batch_size=16, noise=0.01, dropout=0.0)
clips = fitness.generate(2, 0, frames=60)
batcher = Batcher(cut_windows(clips, skeletons.H36M_17, config, True), config, skeletons.H36M_17, True)
make, steps_of_epoch, shared = lifting_batches(batcher)
own = steps_of_epoch([3, 5], 0)
assert own[0].shape == (2, 7, 16) and len(np.unique(own[0][0])) == 7 * 16
assert not np.array_equal(own[0][0], own[0][1])


def build():
    return build_model(config)


def optimizer():
    return keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.5)


both = DeviceTraining(build, optimizer, keras_mpjpe, make, [3, 5])
losses = np.stack([both.run([part[:, i : i + 1] for part in own], shared) for i in range(7)])
together = [model.get_weights() for model in both.models()]

# By hand, step by step, for the second seed.
keras.utils.set_random_seed(5)
model, adam = build(), optimizer()
adam.build(model.trainable_variables)
average = [np.asarray(v) for v in model.trainable_variables]
for i in range(7):
    x, y = batcher(own[0][1, i], JaxDraws(own[1][1, i]))

    def loss(trainable):
        fixed = [v.value for v in model.non_trainable_variables]
        pose, fixed = model.stateless_call(trainable, fixed, x, training=True)
        return keras.ops.mean(keras_mpjpe(y, pose)), fixed

    (value, fixed), gradients = jax.value_and_grad(loss, has_aux=True)([v.value for v in model.trainable_variables])
    np.testing.assert_allclose(value, losses[i, 1], rtol=1e-3)
    for variable, new in zip(model.non_trainable_variables, fixed):
        variable.assign(new)
    adam.apply(gradients, model.trainable_variables)
adam.finalize_variable_values(model.trainable_variables)
for here, there in zip(model.get_weights(), together[1], strict=True):
    np.testing.assert_allclose(here, there, atol=2e-3)
assert any(np.abs(a - b).max() > 0.05 for a, b in zip(*together))
assert (losses[-2:].mean(0) < losses[:2].mean(0)).all()
print("as by hand")
"""


def test_seeds_side_by_side_learn_what_each_learns_alone():
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout.strip() == "as by hand"
