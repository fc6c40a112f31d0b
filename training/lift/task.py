"""What training a lifter is made of: data, model, loss, optimizer."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from rich.console import Console

from skelgnn_tf import skeletons
from skelgnn_tf.configs.config import Config, build_model
from skelgnn_tf.datasets import catalog
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.metrics import MM_PER_M, MPJPE, keras_mpjpe
from skelgnn_tf.training.lift.batches import Batcher, cut_windows


class Lifting:
    """A lifter's training data, model and how it learns; the twin of `recognition.Recognition`.

    Args:
        config: All that defines the run.
        clips: Training clips, instead of those that the config's data sets give.
        console: Unused; generated and read clips say nothing.

    Raises:
        ValueError, FileNotFoundError: Data or settings that do not fit.
    """

    loss = staticmethod(keras_mpjpe)
    #: What a step's rate counts.
    unit = "frames"

    def __init__(self, config: Config, clips: Sequence[Clip] | None = None, console: Console | None = None) -> None:
        self.config = config
        skeleton = skeletons.get(config.skeleton)
        if clips is None:
            clips = catalog.load(
                config.dataset, config.data_dir, skeleton, config.keypoints, config.seed, config.fitness_clips
            ).train
        fit_clips, held_out = hold_out(clips, config.validation)
        self.batcher = Batcher(cut_windows(fit_clips, skeleton, config, training=True), config, skeleton, training=True)
        self.held_out = None
        if held_out:
            windows = cut_windows(held_out, skeleton, config, training=False)
            self.held_out = Batcher(windows, config, skeleton, training=False)
        # Half a picture's width is one screen unit.
        self.scale = MM_PER_M if config.protocol == "camera" else clips[0].image_size_px[0] / 2
        #: The score in the logs, how it is shown, and whether more is better.
        self.metric = (
            ("mpjpe_mm", "MPJPE {:.1f} mm") if config.protocol == "camera" else ("mpjpe_px", "error {:.1f} px")
        )
        self.higher_is_better = False
        #: The score that the best epoch has the least of.
        self.monitor = f"val_{self.metric[0]}" if held_out else self.metric[0]
        self.steps = self.batcher.steps
        self.units_per_step = min(config.batch_size, len(self.batcher.windows)) * config.frames
        self.about = (
            f"{len(self.batcher.windows):,} windows of {config.frames} frame(s) from {len(fit_clips)} clips "
            f"({len(held_out)} kept for validation)"
        )

    def build(self) -> keras.Model:
        """The model with fresh weights."""
        return build_model(self.config)

    def metrics(self) -> list:
        """Scores beside the loss."""
        return [MPJPE(self.metric[0], scale=self.scale)]

    def optimizer(self) -> keras.optimizers.Optimizer:
        """The paper's Adam."""
        config = self.config
        rate = keras.optimizers.schedules.ExponentialDecay(
            config.learning_rate, self.steps, config.decay, staircase=True
        )
        return keras.optimizers.Adam(rate, **({"use_ema": True, "ema_momentum": config.ema} if config.ema else {}))

    def batches(self, first_step: int, epochs: int):
        """All batches from one step on to the end of epoch number `epochs`."""
        if keras.backend.backend() == "tensorflow":
            from skelgnn_tf.training.tf_data import training_batches

            return training_batches(self.batcher, first_step, epochs)
        from skelgnn_tf.training.arrays import ArrayBatches

        return ArrayBatches(self.batcher, *divmod(first_step, self.steps))

    def validation_batches(self):
        """What was held out, once; None if nothing was."""
        if self.held_out is None:
            return None
        if keras.backend.backend() == "tensorflow":
            from skelgnn_tf.training.tf_data import validation_batches

            return validation_batches(self.held_out)
        from skelgnn_tf.training.arrays import ArrayBatches

        return ArrayBatches(self.held_out)

    def clips_of_step(self, step: int) -> list[str]:
        """Names of the clips in the batch of a step; empty where the backend does not say."""
        if keras.backend.backend() != "tensorflow":
            return []
        from skelgnn_tf.training.tf_data import rows_of_step

        windows = self.batcher.windows
        return [windows.names[i] for i in np.unique(windows.clip[rows_of_step(self.batcher, step)])]


def hold_out(clips: Sequence[Clip], share: float) -> tuple[tuple[Clip, ...], tuple[Clip, ...]]:
    """Splits off takes (all views of one together) that choose the best epoch: every n-th, for `share` of them.

    Args:
        clips: Training clips.
        share: 0..1; 0, or fewer than two takes, keeps none back.

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
