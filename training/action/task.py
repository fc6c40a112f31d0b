"""What training a recogniser is made of: data, model, loss, optimizer."""

from __future__ import annotations

import keras
import numpy as np
from rich.console import Console

from skelgnn_tf.configs.config import Config, build_model
from skelgnn_tf.datasets import actions
from skelgnn_tf.datasets.sequences import ActionSet, Sequences
from skelgnn_tf.training.action.batches import ActionBatcher

#: Weights that are no directions in feature space are not decayed.
_NOT_DECAYED = ["gamma", "beta", "bias", "alpha", "/b"]
#: When the paper divides its learning rate by ten, as shares of all epochs.
_PAPER_DROPS = (35 / 60, 45 / 60)
_WARM_UP = 0.1
#: The averaged weights look back over at most this share of the training.
_AVERAGED = 0.05


class Recognition:
    """A recogniser's training data, model and how it learns; the twin of `lifting.Lifting`.

    Args:
        config: All that defines the run.
        data: The data set, instead of the one that the config names.
        console: Where parsing and what was left out are shown.

    Raises:
        ValueError, FileNotFoundError: Data or settings that do not fit.
    """

    #: What a step's rate counts.
    unit = "clips"

    def __init__(self, config: Config, data: ActionSet | None = None, console: Console | None = None) -> None:
        data = data or load_data(config, console)
        self.config = config = settled(config, data)
        self.classes = data.classes
        fit, held_out = hold_out(data.train, config.validation)
        self.batcher = ActionBatcher(fit, config, data.skeleton, data.classes, training=True)
        self.held_out = (
            ActionBatcher(held_out, config, data.skeleton, data.classes, training=False) if len(held_out) else None
        )
        self.loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=config.label_smoothing)
        #: The score in the logs, how it is shown, and whether more is better.
        self.metric = ("top1", "top-1 {:.1%}")
        self.higher_is_better = True
        #: The score that the best epoch has the most of; without validation the last epoch is the best.
        self.monitor = "val_top1" if self.held_out else None
        self.steps = self.batcher.steps
        self.units_per_step = min(config.batch_size, len(fit))
        self.about = (
            f"{len(fit):,} clips of {len(data.classes)} classes ({len(held_out)} kept for validation), {config.input} "
            f"of {config.skeleton}, {config.persons} person(s), {config.frames} frames, stream {config.stream}"
        )

    def build(self) -> keras.Model:
        """The model with fresh weights."""
        return build_model(self.config, self.classes)

    def metrics(self) -> list:
        """Scores beside the loss."""
        return [keras.metrics.CategoricalAccuracy("top1")]

    def optimizer(self) -> keras.optimizers.Optimizer:
        """AdamW with warm-up and cosine, or the paper's SGD in steps."""
        config, total = self.config, self.steps * self.config.epochs
        # However short the training: an average that still holds the fresh weights is no model.
        momentum = min(config.ema, 1 - 1 / max(1, _AVERAGED * total))
        average = {"use_ema": True, "ema_momentum": momentum} if momentum > 0 else {}
        if config.recipe == "paper":
            rates = [config.learning_rate / 10**i for i in range(3)]
            drops = [max(1, round(total * share)) for share in _PAPER_DROPS]
            rate = keras.optimizers.schedules.PiecewiseConstantDecay(drops, rates)
            # Decoupled decay times the rate is what SGD with an L2 loss does but for the momentum.
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

    def batches(self, first_step: int, epochs: int):
        """All batches from one step on to the end of epoch number `epochs`."""
        if keras.backend.backend() == "tensorflow":
            from skelgnn_tf.training.tf_data import sequence_batches

            return sequence_batches(self.batcher, first_step, epochs * self.steps)
        from skelgnn_tf.training.arrays import SequenceBatches

        return SequenceBatches(self.batcher, first_step)

    def validation_batches(self):
        """What was held out, once; None if nothing was."""
        return None if self.held_out is None else all_batches(self.held_out)

    def clips_of_step(self, step: int) -> list[str]:
        """Names of the clips in the batch of a step."""
        return [str(name) for name in self.batcher.sequences.names[self.batcher.rows(step)]]


def all_batches(batcher: ActionBatcher):
    """The clips of a batcher that does not train, once, in order."""
    if keras.backend.backend() == "tensorflow":
        from skelgnn_tf.training.tf_data import sequence_batches

        return sequence_batches(batcher, 0, batcher.steps)
    from skelgnn_tf.training.arrays import SequenceBatches

    return SequenceBatches(batcher)


def load_data(config: Config, console: Console | None = None) -> ActionSet:
    """The data set that a config names."""
    return actions.load(
        config.dataset[0],
        data_dir=config.data_dir,
        data_file=config.data_file,
        labels=config.labels,
        input=config.input,
        skeleton=config.skeleton,
        seed=config.seed,
        fitness_clips=config.fitness_clips,
        skip_bad=config.skip_bad,
        console=console,
    )


def settled(config: Config, data: ActionSet) -> Config:
    """The config with what was "auto" settled by the data.

    Raises:
        ValueError: What cannot be had from these data.
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
    """Splits off clips that choose the best epoch, `share` of each class, evenly spread.

    A class of one clip keeps it for training.
    """
    chosen = np.zeros(len(sequences), bool)
    for label in np.unique(sequences.label) if share else ():
        clips = np.flatnonzero(sequences.label == label)
        count = min(max(1, round(share * len(clips))), len(clips) - 1)
        chosen[clips[np.linspace(0, len(clips) - 1, count + 2).round().astype(int)[1:-1]]] = True
    return sequences.select(~chosen), sequences.select(chosen)
