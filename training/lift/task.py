"""What training a lifter needs: data, model, loss, optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from skelgnn_tf import skeletons
from skelgnn_tf.configs import LiftConfig
from skelgnn_tf.datasets.clip import Clip, ClipSet
from skelgnn_tf.datasets.load import load_clips
from skelgnn_tf.metrics import MM_PER_M, MPJPE, keras_l1, keras_mpjpe
from skelgnn_tf.models import PoseLifter
from skelgnn_tf.models.build import build_model
from skelgnn_tf.skeletons import Skeleton
from skelgnn_tf.training.lift.batches import Batcher, cut_windows


class Lifting:
    """Training data, model and optimization of a lifter. `Recognition` has the same members.

    Args:
        config: Everything that defines the run.
        clips: Training clips.

    Raises:
        ValueError: The data do not fit the config.
    """

    #: What the training rate counts.
    unit = "frames"
    higher_is_better = False

    def __init__(self, config: LiftConfig, clips: Sequence[Clip]) -> None:
        self.config = config
        self.loss = {"mpjpe": keras_mpjpe, "l1": keras_l1}[config.loss]
        skeleton = skeletons.get(config.skeleton)
        fit_clips, held_out = hold_out(clips, config.validation)
        self.batcher = Batcher(cut_windows(fit_clips, skeleton, config, training=True), config, skeleton, training=True)
        self.held_out = None
        if held_out:
            windows = cut_windows(held_out, skeleton, config, training=False)
            self.held_out = Batcher(windows, config, skeleton, training=False)
        # Half the width of a picture is one screen unit.
        self.scale = MM_PER_M if config.protocol == "camera" else clips[0].image_size_px[0] / 2
        #: Name of the score in the logs, and its format.
        self.metric = (
            ("mpjpe_mm", "MPJPE {:.1f} mm") if config.protocol == "camera" else ("mpjpe_px", "error {:.1f} px")
        )
        #: Name of the score that decides which epoch is the best.
        self.monitor: str | None = f"val_{self.metric[0]}" if held_out else self.metric[0]
        self.steps = self.batcher.steps
        self.units_per_step = min(config.batch_size, len(self.batcher.windows)) * config.frames
        self.about = (
            f"{len(self.batcher.windows):,} windows of {config.frames} frame(s) from {len(fit_clips)} clips "
            f"({len(held_out)} kept for validation)"
        )

    def build(self) -> PoseLifter:
        """The model with fresh weights."""
        return build_model(self.config)

    def metrics(self) -> list[keras.metrics.Metric]:
        """Scores in addition to the loss."""
        return [MPJPE(self.metric[0], scale=self.scale)]

    def optimizer(self) -> keras.optimizers.Optimizer:
        """Adam whose learning rate decays once per epoch, as in the paper."""
        config = self.config
        rate = keras.optimizers.schedules.ExponentialDecay(
            config.learning_rate, self.steps, config.decay, staircase=True
        )
        return keras.optimizers.Adam(rate, **({"use_ema": True, "ema_momentum": config.ema} if config.ema else {}))

    def batches(self, first_step: int, epochs: int) -> Any:
        """All batches from `first_step` to the end of epoch number `epochs`, a tf.data.Dataset or a PyDataset."""
        if keras.backend.backend() == "tensorflow":
            from skelgnn_tf.training.tf_data import training_batches

            return training_batches(self.batcher, first_step, epochs)
        from skelgnn_tf.training.arrays import ArrayBatches

        return ArrayBatches(self.batcher, *divmod(first_step, self.steps))

    def validation_batches(self) -> Any:
        """The windows held out for validation, once; None if there are none."""
        if self.held_out is None:
            return None
        if keras.backend.backend() == "tensorflow":
            from skelgnn_tf.training.tf_data import validation_batches

            return validation_batches(self.held_out)
        from skelgnn_tf.training.arrays import ArrayBatches

        return ArrayBatches(self.held_out)

    def clips_of_step(self, step: int) -> list[str]:
        """Names of the clips in the batch of a step; empty on backends other than TensorFlow."""
        if keras.backend.backend() != "tensorflow":
            return []
        from skelgnn_tf.training.tf_data import rows_of_step

        windows = self.batcher.windows
        return [windows.names[i] for i in np.unique(windows.clip[rows_of_step(self.batcher, step)])]


def load_data(config: LiftConfig, skeleton: Skeleton | None = None) -> ClipSet:
    """The data sets that a config names.

    Args:
        config: Data sets, folders and keypoints.
        skeleton: Skeleton that the joints are mapped to; None for the one of the config.

    Raises:
        ValueError, FileNotFoundError: A data set is unknown, a file is missing or damaged.
    """
    skeleton = skeletons.get(config.skeleton) if skeleton is None else skeleton
    return load_clips(config.dataset, config.data_dir, skeleton, config.keypoints, config.seed, config.fitness_clips)


def hold_out(clips: Sequence[Clip], share: float) -> tuple[tuple[Clip, ...], tuple[Clip, ...]]:
    """Splits off evenly spread takes, with all their views, that decide which epoch is the best.

    Args:
        clips: Training clips.
        share: Share of the takes, 0..1. With 0, or with fewer than two takes, none are held out.

    Returns:
        Clips to train on, clips held out.
    """
    takes = list(dict.fromkeys(clip.take for clip in clips))
    if not share or len(takes) < 2:
        return tuple(clips), ()
    count = min(max(1, round(share * len(takes))), len(takes) - 1)
    chosen = {takes[i] for i in np.linspace(0, len(takes) - 1, count + 2).round().astype(int)[1:-1]}
    return (
        tuple(clip for clip in clips if clip.take not in chosen),
        tuple(clip for clip in clips if clip.take in chosen),
    )
