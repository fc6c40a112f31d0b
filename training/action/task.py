"""What training a recognizer needs: data, model, loss, optimizer."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from rich.console import Console

from skelgnn_tf.configs import ActionConfig
from skelgnn_tf.datasets.load import load_sequences
from skelgnn_tf.datasets.sequences import Sequences, SequenceSet
from skelgnn_tf.models import ActionRecognizer
from skelgnn_tf.models.build import build_model
from skelgnn_tf.training.action.batches import ActionBatcher

#: Weights without decay: they are not directions in feature space.
_NOT_DECAYED = ["gamma", "beta", "bias", "alpha", "/b"]
#: When the paper divides the learning rate by ten, as shares of all epochs.
_PAPER_DROPS = (35 / 60, 45 / 60)
#: Share of the training in which the learning rate of the modern recipe rises.
_WARM_UP = 0.1
#: Largest share of the training that the average of the weights covers.
_AVERAGED = 0.05


class Recognition:
    """Training data, model and optimization of a recognizer. `Lifting` has the same members.

    Args:
        config: Everything that defines the run.
        data: The data set.

    Raises:
        ValueError: The data do not fit the config.
    """

    #: What the training rate counts.
    unit = "clips"
    higher_is_better = True

    def __init__(self, config: ActionConfig, data: SequenceSet) -> None:
        self.config = config = settled(config, data)
        self.classes = data.classes
        fit, held_out = hold_out(data.train, config.validation)
        self.batcher = ActionBatcher(fit, config, data.skeleton, data.classes, training=True)
        self.held_out = (
            ActionBatcher(held_out, config, data.skeleton, data.classes, training=False) if len(held_out) else None
        )
        self.loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=config.label_smoothing)
        #: Name of the score in the logs, and its format.
        self.metric = ("top1", "top-1 {:.1%}")
        #: Name of the score that decides which epoch is the best; None keeps the last epoch.
        self.monitor = "val_top1" if self.held_out else None
        self.steps = self.batcher.steps
        self.units_per_step = min(config.batch_size, len(fit))
        self.about = (
            f"{len(fit):,} clips of {len(data.classes)} classes ({len(held_out)} kept for validation), {config.input} "
            f"of {config.skeleton}, {config.persons} person(s), {config.frames} frames, stream {config.stream}"
        )

    def build(self) -> ActionRecognizer:
        """The model with fresh weights."""
        return build_model(self.config, self.classes)

    def metrics(self) -> list[keras.metrics.Metric]:
        """Scores in addition to the loss."""
        return [keras.metrics.CategoricalAccuracy("top1")]

    def optimizer(self) -> keras.optimizers.Optimizer:
        """AdamW with warm-up and a cosine schedule, or the paper's SGD with a rate that drops twice."""
        config, total = self.config, self.steps * self.config.epochs
        # In a short training, an average over too many steps would still contain the initial weights.
        momentum = min(config.ema, 1 - 1 / max(1, _AVERAGED * total))
        average = {"use_ema": True, "ema_momentum": momentum} if momentum > 0 else {}
        if config.recipe == "paper":
            rates = [config.learning_rate / 10**i for i in range(3)]
            drops = [max(1, round(total * share)) for share in _PAPER_DROPS]
            rate = keras.optimizers.schedules.PiecewiseConstantDecay(drops, rates)
            # Decoupled decay times the rate: SGD with an L2 loss, except that momentum does not apply to the decay.
            optimizer = keras.optimizers.SGD(
                rate, momentum=0.9, nesterov=True, weight_decay=config.weight_decay, **average
            )
        else:
            warm = max(1, round(_WARM_UP * total))
            rate = keras.optimizers.schedules.CosineDecay(
                0.0, max(1, total - warm), warmup_target=config.learning_rate, warmup_steps=warm
            )
            optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, **average)
        optimizer.exclude_from_weight_decay(var_names=_NOT_DECAYED)
        return optimizer

    def batches(self, first_step: int, epochs: int) -> Any:
        """All batches from `first_step` to the end of epoch number `epochs`, a tf.data.Dataset or a PyDataset."""
        if keras.backend.backend() == "tensorflow":
            from skelgnn_tf.training.tf_data import sequence_batches

            return sequence_batches(self.batcher, first_step, epochs * self.steps)
        from skelgnn_tf.training.arrays import SequenceBatches

        return SequenceBatches(self.batcher, first_step)

    def validation_batches(self) -> Any:
        """The clips held out for validation, once; None if there are none."""
        if self.held_out is None:
            return None
        if keras.backend.backend() == "tensorflow":
            from skelgnn_tf.training.tf_data import sequence_batches

            return sequence_batches(self.held_out, 0, self.held_out.steps)
        from skelgnn_tf.training.arrays import SequenceBatches

        return SequenceBatches(self.held_out)

    def clips_of_step(self, step: int) -> list[str]:
        """Names of the clips in the batch of a step."""
        return [str(name) for name in self.batcher.sequences.names[self.batcher.rows(step)]]


def load_data(config: ActionConfig, console: Console | None = None) -> SequenceSet:
    """The data set that a config names.

    Args:
        config: Data set, folder, file and skeleton.
        console: Where progress and skipped clips are printed.

    Raises:
        ValueError, FileNotFoundError: A data set is unknown, a file is missing or damaged.
    """
    return load_sequences(
        config.dataset[0],
        data_dir=config.data_dir,
        data_file=config.data_file,
        labels=config.labels,
        input=config.input,
        skeleton=config.skeleton,
        seed=config.seed,
        fitness_clips=config.fitness_clips,
        fitness_scenes=config.fitness_scenes,
        other_motion=config.other_motion,
        skip_bad=config.skip_bad,
        console=console,
    )


def settled(config: ActionConfig, data: SequenceSet) -> ActionConfig:
    """The config with "auto" replaced by what the data have.

    Raises:
        ValueError: The data do not fit the config.
    """
    kind, channels = data.train.kind, data.train.channels
    normalization = config.normalization
    if normalization == "auto":
        normalization = "center" if kind == "pose" else "box"
    return config.replace(
        input=kind,
        skeleton=data.skeleton.name,
        persons=config.persons or min(2, int(data.train.persons.max())),
        confidence=bool(config.confidence and kind == "keypoints" and channels == 3),
        normalization=normalization,
    )


def hold_out(sequences: Sequences, share: float) -> tuple[Sequences, Sequences]:
    """Splits off evenly spread clips of each class that decide which epoch is the best.

    Args:
        sequences: Training clips.
        share: Share of the clips of each class, 0..1. The only clip of a class is not held out.

    Returns:
        Clips to train on, clips held out.
    """
    chosen = np.zeros(len(sequences), bool)
    for label in np.unique(sequences.label) if share else ():
        clips = np.flatnonzero(sequences.label == label)
        count = min(max(1, round(share * len(clips))), len(clips) - 1)
        chosen[clips[np.linspace(0, len(clips) - 1, count + 2).round().astype(int)[1:-1]]] = True
    return sequences.select(~chosen), sequences.select(chosen)
