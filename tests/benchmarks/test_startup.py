"""benchmarks/speed/startup.py: time and memory are those of the command and of nothing else."""

import sys

import click
import numpy as np
import pytest

from skelgnn_tf.keypoints import read_keypoints


@pytest.fixture(scope="module")
def script(load):
    return load("startup")


def test_peak_memory_is_that_of_the_command_and_not_of_the_process_that_measures(script):
    # The interpreter that runs this test holds hundreds of megabytes.
    held = np.ones(30_000_000)
    _, idle = script.measure([sys.executable, "-S", "-c", ""])
    _, busy = script.measure([sys.executable, "-S", "-c", "b'x' * 100_000_000"])
    assert held.all() and idle < 50
    assert 95 < busy - idle < 120


def test_wall_time_includes_the_waiting(script):
    seconds, _ = script.measure([sys.executable, "-S", "-c", "import time; time.sleep(0.2)"])
    assert seconds > 0.2


def test_a_command_that_fails_is_not_measured(script):
    with pytest.raises(click.ClickException, match="failed with exit code 3"):
        script.measure([sys.executable, "-c", "raise SystemExit(3)"])


def test_the_keypoint_file_is_a_detectors(script, tmp_path):
    script.write_keypoints(tmp_path / "a.npz", 60)
    sequence = read_keypoints(tmp_path / "a.npz")
    assert sequence.layout == "coco_17" and sequence.keypoints.shape == (1, 60, 17, 3)
