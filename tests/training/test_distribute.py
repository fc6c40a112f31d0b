"""Where training runs: two devices reach about what one reaches, and names that do not fit are refused."""

import csv
import os
import subprocess
import sys

import pytest

from skelgnn_tf.training.distribute import scope
from support import tiny_h36m

TWO_DEVICES = """
import sys
from pathlib import Path

import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.datasets import h36m
from skelgnn_tf.training.fit import train

config = LiftConfig(channels=4, squeeze=0.5, blocks=1, sharing="shared", dropout=0.0, batch_size=64, epochs=2,
                learning_rate=5e-3, validation=0.3, dynamic=False)
clips = h36m.load(sys.argv[1]).train
for distribute in ("none", "mirrored"):
    train(config, Path(sys.argv[2]) / distribute, clips=clips, distribute=distribute)
"""


def test_two_mirrored_devices_learn_about_what_one_learns(tmp_path):
    data = tiny_h36m.write(tmp_path, frames=40)
    ran = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES, str(data), str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"}, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert ran.stdout.count("2 replicas") == 1
    rows = {}
    for name in ("none", "mirrored"):
        with open(tmp_path / name / "history.csv") as file:
            rows[name] = list(csv.DictReader(file))
        assert (tmp_path / name / "model.keras").exists()
    for one, two in zip(rows["none"], rows["mirrored"], strict=True):
        # Each replica's batch norm sees half of a batch, so not the same to the last digit.
        assert float(two["loss"]) == pytest.approx(float(one["loss"]), rel=0.1)
        assert float(two["mpjpe_mm"]) == pytest.approx(1000 * float(two["loss"]), rel=1e-3)
        assert float(two["val_mpjpe_mm"]) == pytest.approx(float(one["val_mpjpe_mm"]), rel=0.15)
    assert float(rows["mirrored"][-1]["loss"]) < float(rows["mirrored"][0]["loss"])


@pytest.mark.parametrize("distribute", ["none", "auto"])
def test_one_device_needs_no_strategy(distribute):
    import tensorflow as tf

    with scope(distribute) as replicas:
        assert replicas == max(1, len(tf.config.list_logical_devices("GPU")) if distribute == "auto" else 1)
        assert distribute == "auto" or not tf.distribute.has_strategy()
