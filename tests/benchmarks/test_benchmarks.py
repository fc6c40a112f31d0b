"""The benchmarks run with tiny settings, print what they promise, and what they compare is comparable."""

import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.datasets import h36m
from skelgnn_tf.datasets.h36m.cameras import cameras
from skelgnn_tf.datasets.windows import cut
from skelgnn_tf.layers import HCSF
from skelgnn_tf.skeletons import H36M_17
from support.benchmark_output import number, rows, run

ROOT = Path(__file__).resolve().parents[2]


class Scripts(NamedTuple):
    """The benchmarks as modules."""

    layer_formulations: object
    formulations: object
    pipeline_speed: object
    compare_lifters: object
    fcn: object


@pytest.fixture(scope="module")
def scripts(load):
    return Scripts(*(load(name) for name in Scripts._fields))


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Files in VideoPose3D's layout, of people who are a cloud of joints; S9 is for the test."""
    folder, rng = tmp_path_factory.mktemp("h36m"), np.random.default_rng(0)
    poses, views = {}, {}
    for subject in ("S1", "S9"):
        world_m = np.float32([0, 0, 1]) + rng.normal(size=(40, 17, 3)).astype(np.float32) * 0.3
        poses[subject] = {"Walking": world_m}
        views[subject] = {
            "Walking": [camera.project(camera.to_camera(world_m)).astype("f4") for camera in cameras(subject)]
        }
    for file, key, value in (("data_3d_h36m", "positions_3d", poses), ("data_2d_h36m_gt", "positions_2d", views)):
        box = np.empty((), object)
        box[()] = value
        np.savez(folder / f"{file}.npz", **{key: box})
    return folder


def by_name(printed):
    """{first cell: the other cells} of the tables in a printout."""
    return {first: others for first, *others in rows(printed)}


def small_problem(formulations, channels_in=5, channels_out=4, frames=3):
    rng = np.random.default_rng(1)
    neighbors = formulations.neighbors_of(channels_in)
    pairs = sum(map(len, neighbors))
    x = rng.normal(size=(frames, 17, channels_in)).astype(np.float32)
    w = rng.normal(size=(pairs * channels_in, channels_out)).astype(np.float32)
    return neighbors, x, w


def test_every_formulation_is_the_layers_pair_product_and_the_loop_over_pairs(scripts):
    formulations = scripts.formulations
    neighbors, x, w = small_problem(formulations)
    blocks = iter(w.reshape(-1, x.shape[2], w.shape[1]))
    expected = np.zeros((len(x), 17, w.shape[1]))
    for i in range(17):
        for j in range(17):
            if H36M_17.hop_distances[i, j] <= 1:
                expected[:, i] += x[:, j] @ next(blocks)
    own = HCSF._pair_product(tf.unstack(x, axis=1), neighbors, tf.constant(w)).numpy()
    np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-5)
    ways = formulations.pair_formulations(neighbors, w)
    assert len(ways) >= 5
    for name, formulation in ways.items():
        found = formulation.product(tf.constant(x)).numpy()
        np.testing.assert_allclose(found, own, rtol=1e-4, atol=1e-5, err_msg=name)


def test_every_shared_formulation_is_the_mean_over_the_neighbors(scripts):
    formulations = scripts.formulations
    neighbors, x, w = small_problem(formulations)
    w = w[: x.shape[2]]
    expected = np.stack([x[:, js].mean(axis=1) @ w for js in neighbors], axis=1)
    for name, formulation in formulations.shared_formulations(neighbors, w).items():
        found = formulation.product(tf.constant(x)).numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5, err_msg=name)


def test_a_formulation_with_another_result_or_gradient_is_not_timed(scripts):
    formulations = scripts.formulations
    neighbors, x, w = small_problem(formulations)
    ways = formulations.pair_formulations(neighbors, w)
    right = ways[formulations.OWN]
    formulations.check_agreement(ways, x)
    for wrong in (
        lambda x: right.product(x) * 1.001,
        lambda x: right.product(tf.stop_gradient(x)) + 0 * tf.reduce_sum(x),
    ):
        broken = {"right": right, "wrong": formulations.Formulation(right.weights, wrong)}
        with pytest.raises(ValueError, match="wrong: the"):
            formulations.check_agreement(broken, x)


def test_layer_formulations_prints_times_next_to_the_layers_own(scripts):
    printed = run(scripts.layer_formulations, "--channels", 8, "--frames", 64, "--rounds", 1)
    assert "pair weights, 8 channels, 64 frames" in printed and "shared weights" in printed
    table = by_name(printed)
    for name in ("layer's own", "gather by edge", "concatenated, padded", "by source joint", "masked dense", "(A X) W"):
        assert all(number(cell) > 0 for cell in table[name][:3])
    assert number(table["layer's own"][2]) == number(table["layer's own, A (X W)"][2]) == 1


@pytest.mark.filterwarnings("ignore:Even though the")
def test_pipeline_speed_prints_the_ratio_of_both_rates(scripts, data_dir, without_tracing):
    printed = run(
        scripts.pipeline_speed, "--dataset", "h36m", "--data-dir", data_dir, "--frames", 3, "--channels", 4,
        "--batch-size", 8, "--seconds", 0.05, "--rounds", 1,
    )  # fmt: skip
    table = rows(printed)
    assert [row[1] for row in table] == ["default", "all"]
    for row in table:
        pipeline, training, ratio = map(number, row[2:])
        # Rates are rounded to whole windows, the ratio to three digits.
        rounding = 0.0051 * max(ratio, 1)
        assert (pipeline - 0.5) / (training + 0.5) - rounding < ratio < (pipeline + 0.5) / (training - 0.5) + rounding


@pytest.mark.filterwarnings("ignore:Even though the")
def test_compare_lifters_scores_each_lifter_and_all_on_the_hardest_of_the_first(
    scripts, data_dir, tmp_path, without_tracing
):
    file = tmp_path / "scores.json"
    printed = run(
        scripts.compare_lifters, "--dataset", "h36m", "--data-dir", data_dir, "--samples", 640, "--channels", 4,
        "--json", file,
    )  # fmt: skip
    table, lifters = by_name(printed), json.loads(file.read_text())["lifters"]
    assert list(table) == list(lifters) == ["FCN", "GCN", "LCN", "HCSF", "D-HCSF"]
    for name, scores in lifters.items():
        p1, p2, own, reference, over, parameters, rate = map(number, table[name])
        assert (p1, p2) == (round(scores["p1_mm"], 1), round(scores["p2_mm"], 1))
        # A model's own hardest poses are worse than any others, so than those of the reference.
        assert p2 < p1 < own and reference <= own and 0 <= over <= 100 and rate > 0
        assert parameters == scores["parameters"]
    assert lifters["FCN"]["hard_reference"]["hardest_5_mm"] == lifters["FCN"]["hardest_5_mm"]
    # One matrix for all pairs, one for each pair within two hops, the outer of them squeezed.
    assert lifters["GCN"]["parameters"] < lifters["HCSF"]["parameters"] < lifters["LCN"]["parameters"]


@pytest.mark.parametrize(
    "backend",
    ["tensorflow", pytest.param("jax", marks=pytest.mark.skipif(not find_spec("jax"), reason="jax is not installed"))],
)
def test_compare_lifters_averages_over_seeds(data_dir, tmp_path, backend):
    file = tmp_path / "scores.json"
    arguments = ["--dataset", "h36m", "--data-dir", str(data_dir), "--samples", "640", "--models", "fcn"]
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "accuracy" / "compare_lifters.py", *arguments, "--seed", "0",
         "--seed", "3", "--json", str(file)],
        env={**os.environ, "KERAS_BACKEND": backend}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "±" in done.stdout and "seed 0, 3" in done.stdout
    scores = json.loads(file.read_text())["lifters"]["FCN"]
    each = [scores["by_seed"][seed]["p1_mm"] for seed in ("0", "3")]
    assert each[0] != each[1] and scores["p1_mm"] == pytest.approx(sum(each) / 2, abs=0.1)


def test_an_interrupted_comparison_prints_what_is_trained(data_dir, tmp_path):
    file = tmp_path / "scores.json"
    arguments = ["--dataset", "h36m", "--data-dir", str(data_dir), "--samples", "640", "--channels", "4"]
    arguments += ["--models", "gcn", "--models", "fcn"]
    process = subprocess.Popen(
        [sys.executable, ROOT / "benchmarks" / "accuracy" / "compare_lifters.py", *arguments, "--json", str(file)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path, env={**os.environ},
    )  # fmt: skip
    for line in process.stdout:
        if line.startswith("FCN: P1"):
            process.send_signal(signal.SIGINT)
            break
    rest, _ = process.communicate()
    assert process.returncode == 130
    assert list(by_name(rest)) == list(json.loads(file.read_text())["lifters"]) == ["FCN"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "h36m", "--data-dir", "/nowhere"], "/nowhere: folder not found"),
        (["--dataset", "fitnes"], "dataset must be one of fitness, h36m"),
        (["--json", "/nowhere/scores.json"], "cannot write /nowhere/scores.json. Its folder must exist"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(scripts, arguments, message):
    result = CliRunner().invoke(scripts.compare_lifters.main, arguments, catch_exceptions=False)
    assert result.exit_code == 2
    assert message in result.stderr and result.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def windows(data_dir):
    return cut(h36m.load(data_dir).train, H36M_17, 1)


def test_the_fcn_standardises_by_the_training_data_and_its_mirror_image(scripts, windows):
    model = scripts.fcn.FCN(windows, H36M_17, width=8)
    swap, sign = list(H36M_17.mirror), np.array([-1, 1, 1])
    both = np.concatenate([windows.target, windows.target[:, swap] * sign])
    np.testing.assert_allclose(model.pose_mean, both.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(model.pose_std, both.std(axis=0), atol=1e-4)
    both = np.concatenate([windows.keypoints, windows.keypoints[:, swap] * sign[:2]])
    standard = (both - model.keypoint_mean) * model.keypoint_scale
    np.testing.assert_allclose(standard.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(standard.std(axis=0), 1, atol=1e-3)


def test_the_fcn_keeps_the_root_at_the_origin_and_learns(scripts, windows):
    import keras

    from skelgnn_tf.metrics import keras_mpjpe

    keras.utils.set_random_seed(0)
    model = scripts.fcn.FCN(windows, H36M_17, width=64, dropout=0.0)
    x, y = windows.keypoints[:, None], windows.target[:, None]
    model.compile(keras.optimizers.Adam(3e-3), loss=keras_mpjpe)
    model.fit(x, y, batch_size=32, epochs=30, verbose=0)
    pose = model.predict(x, verbose=0)
    assert pose.shape == (len(windows), 1, 17, 3)
    np.testing.assert_array_equal(pose[:, :, H36M_17.root], 0)
    mean_pose = np.linalg.norm(y - y.mean(axis=0), axis=-1).mean()
    assert np.linalg.norm(y - pose, axis=-1).mean() < 0.8 * mean_pose


def test_the_lifters_differ_from_the_default_in_nothing_but_their_layers(scripts):
    allowed = {"sharing", "short_hops", "max_hops", "squeeze", "dynamic"}
    for changes in scripts.compare_lifters.LIFTERS.values():
        assert set(changes or {}) <= allowed
        LiftConfig(**(changes or {}))
    assert scripts.compare_lifters.LIFTERS["D-HCSF"] == {}
