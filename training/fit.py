"""Training: from a config to a run folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import keras
from rich.console import Console

from skelgnn_tf import checkpoints
from skelgnn_tf.configs import ActionConfig, LiftConfig
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.sequences import SequenceSet
from skelgnn_tf.training.action import task as action
from skelgnn_tf.training.callbacks import Checkpoint, NotANumber, StopAtNaN, TerminalProgress, steps_taken
from skelgnn_tf.training.distribute import scope
from skelgnn_tf.training.lift import task as lift
from skelgnn_tf.training.run_folder import make_folder, write_config

#: What is trained: data, model, loss and optimizer. The classes of both tasks have the same members.
Task: TypeAlias = lift.Lifting | action.Recognition
#: Of (model, batches, steps): the model to train in its place, and callbacks.
Compress: TypeAlias = Callable[[keras.Model, Iterable, int], tuple[keras.Model, list[keras.callbacks.Callback]]]
#: Arguments of a model that may differ from those of the model it starts from.
_FREE = {"name", "dtype", "trainable", "dropout", "rotation", "scaling", "shear", "joint_drop", "seed"}


def train(
    config: LiftConfig | ActionConfig,
    folder: Path,
    *,
    resume: bool = False,
    distribute: str = "auto",
    clips: Sequence[Clip] | SequenceSet | None = None,
    compress: Compress | None = None,
    console: Console | None = None,
) -> Path:
    """Trains a model and leaves it in a run folder. A run that is already there is renamed.

    Args:
        config: Everything that defines the run.
        folder: Run folder: config.json, model.keras (best epoch), last.keras, checkpoints/, history.csv, logs/.
        resume: Continue the run in `folder`; reproduces the weights of an uninterrupted run.
        distribute: "auto", "none" or "mirrored"; see `distribute.scope`.
        clips: Training clips, or for action recognition a SequenceSet, instead of the data sets of the config.
        compress: `export.compression.compression(config)` for a config that asks for it.
        console: Where progress is printed.

    Returns:
        The run folder.

    Raises:
        ValueError, FileNotFoundError: Data or settings do not fit. Nothing is written.
        NotANumber: The loss is NaN or infinite. The last good epoch can be resumed.
        KeyboardInterrupt: Ctrl-C, after the state is saved.

    Example:
        >>> train(LiftConfig(frames=9, epochs=2), Path("runs/squats"))  # doctest: +SKIP
    """
    console = console or Console()
    task = make_task(config, clips, console)
    config = task.config
    validation = task.validation_batches()
    keras.utils.set_random_seed(config.seed)
    with scope(distribute) as replicas:
        built, model, compressing = _compiled(task, resume, compress)
    # A pruned model reaches its share of zeros only in the last epoch.
    monitor = None if config.prune else task.monitor
    checkpoint = Checkpoint(folder, config, monitor, task.higher_is_better, kept=built)
    begun = checkpoint.restore(model)["steps"] if resume else 0
    if resume:
        write_config(folder, config)
    else:
        make_folder(folder, config, console)
    console.print(
        f"{folder}: {model.count_params():,} weights, {task.about}, {task.steps} steps an epoch"
        + (f", {replicas} replicas" if replicas > 1 else "")
        + (f", resumed at step {begun}" if begun else ""),
        highlight=False,
        soft_wrap=True,
    )
    if begun % task.steps == 0 and checkpoint.epochs < begun // task.steps and validation is not None:
        _finish_epoch(model, checkpoint, validation, begun // task.steps - 1)
    if begun >= task.steps * config.epochs:
        console.print(f"all {config.epochs} epochs are done; use a larger --epochs to continue")
        return folder
    progress = TerminalProgress(
        task.steps, config.epochs, task.units_per_step, task.metric, console=console, unit=task.unit
    )
    callbacks = [
        StopAtNaN(lambda step: describe_batch(task, step)),
        *([keras.callbacks.SwapEMAWeights()] if model.optimizer.use_ema and validation is not None else []),
        *compressing,
        checkpoint,
        progress,
        keras.callbacks.CSVLogger(folder / "history.csv", append=resume),
    ]
    if keras.backend.backend() == "tensorflow":
        callbacks.append(keras.callbacks.TensorBoard(folder / "logs", write_graph=False))
    try:
        _fit(model, task, validation, callbacks, begun)
    except KeyboardInterrupt:
        progress.close()
        _save_interrupted(model, checkpoint, callbacks)
        console.print(
            f"stopped at step {steps_taken(model)}; to continue: skelgnn-tf train --resume --output {folder}",
            soft_wrap=True,
        )
        raise
    except NotANumber:
        progress.close()
        raise
    return folder


def make_task(
    config: LiftConfig | ActionConfig, data: Sequence[Clip] | SequenceSet | None, console: Console | None = None
) -> Task:
    """The task of a config, with its data.

    Args:
        config: Everything that defines the run.
        data: Training clips, or a SequenceSet; None loads the data sets of the config.
        console: Where progress and skipped clips are printed.

    Raises:
        ValueError, FileNotFoundError: Data or settings do not fit.
    """
    if isinstance(config, LiftConfig):
        if isinstance(data, SequenceSet):
            raise ValueError("clips must be a sequence of Clip for a LiftConfig. Received: a SequenceSet.")
        return lift.Lifting(config, lift.load_data(config).train if data is None else data)
    if data is None:
        data = action.load_data(config, console)
    if not isinstance(data, SequenceSet):
        raise ValueError(f"clips must be a SequenceSet for an ActionConfig. Received: {type(data).__name__}.")
    return action.Recognition(config, data)


def start_from(path: str, model: keras.Model) -> None:
    """Gives a new model the weights of a trained one.

    Args:
        path: Run folder, `.keras` file or preset.
        model: Model with fresh weights.

    Raises:
        FileNotFoundError: There is no such model.
        ValueError: The trained model has another architecture; names the differences.
    """
    trained = checkpoints.load(path).model
    ours, theirs = model.get_config(), trained.get_config()
    different = [name for name in ours if name not in _FREE and ours[name] != theirs.get(name)]
    if different or type(trained) is not type(model):

        def shown(values: dict[str, Any], name: str) -> Any:
            return values[name]["name"] if name == "skeleton" else values.get(name)

        names = [f"{name} ({shown(theirs, name)}, now {shown(ours, name)})" for name in different if name != "classes"]
        raise ValueError(
            f"--from {path} must be a model of the same architecture. Received: {', '.join(names) or 'other classes'}. "
            "Leave those options out, or train without --from."
        )
    model.set_weights(trained.get_weights())


def describe_batch(task: Task, step: int) -> str:
    """Epoch, batch and clips of a step, for messages."""
    epoch, batch = divmod(step, task.steps)
    where, names = f"epoch {epoch + 1}, batch {batch + 1}", task.clips_of_step(step)
    if not names:
        return where
    return f"{where}, clips {', '.join(names[:5])}" + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _compiled(
    task: Task, resume: bool, compress: Compress | None
) -> tuple[keras.Model, keras.Model, list[keras.callbacks.Callback]]:
    """The model to save, the compiled model to train (the same one unless it is compressed), and its callbacks."""
    config = task.config
    keras.config.set_dtype_policy("mixed_bfloat16" if config.mixed_precision else "float32")
    try:
        built = task.build()
    finally:
        keras.config.set_dtype_policy("float32")
    if config.start and not resume:
        start_from(config.start, built)
    model: keras.Model = built
    compressing: list[keras.callbacks.Callback] = []
    if compress is not None:
        model, compressing = compress(built, task.batches(0, 1), task.steps * config.epochs)
    optimizer = task.optimizer()
    model.compile(
        optimizer,
        loss=task.loss,
        metrics=task.metrics(),
        jit_compile=config.xla or keras.backend.backend() == "jax",
    )
    optimizer.build(model.trainable_variables)
    return built, model, compressing


def _fit(
    model: keras.Model, task: Task, validation: Any, callbacks: list[keras.callbacks.Callback], begun: int
) -> None:
    """The training loop, from step `begun` on."""
    steps, epochs = task.steps, task.config.epochs
    first_epoch, done = divmod(begun, steps)
    if done:
        # Only the rest of this epoch: at the end of the data, TensorFlow would count a step that was not taken.
        rest = task.batches(begun, first_epoch + 1)
        _run(model, rest, validation, callbacks, first_epoch, first_epoch + 1, steps - done)
        if model.optimizer.use_ema:
            # Keras ends every fit with the averaged weights; training continues with the plain ones.
            next(c for c in callbacks if isinstance(c, Checkpoint)).restore(model)
        first_epoch += 1
    if first_epoch < epochs:
        data = task.batches(first_epoch * steps, epochs)
        _run(model, data, validation, callbacks, first_epoch, epochs, steps)


def _run(
    model: keras.Model,
    data: Any,
    validation: Any,
    callbacks: list[keras.callbacks.Callback],
    first_epoch: int,
    epochs: int,
    steps: int,
) -> None:
    model.fit(
        data, validation_data=validation, callbacks=callbacks, verbose=0,
        initial_epoch=first_epoch, epochs=epochs, shuffle=False,
        # A PyDataset has a length, and changes with each epoch only if steps_per_epoch is None.
        steps_per_epoch=None if isinstance(data, keras.utils.PyDataset) else steps,
    )  # fmt: skip


def _finish_epoch(model: keras.Model, checkpoint: Checkpoint, validation: Any, epoch: int) -> None:
    """Scores and saves an epoch that was interrupted during its validation."""
    swap = [keras.callbacks.SwapEMAWeights()] if model.optimizer.use_ema else []
    scores = model.evaluate(validation, verbose=0, return_dict=True, callbacks=swap)
    checkpoint.set_model(model)
    checkpoint.on_epoch_end(epoch, {f"val_{name}": score for name, score in scores.items()})


def _save_interrupted(model: keras.Model, checkpoint: Checkpoint, callbacks: list[keras.callbacks.Callback]) -> None:
    """Saves the state of a training that Ctrl-C interrupts."""
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()
    for callback in callbacks:
        # During validation the model holds the averaged weights.
        if isinstance(callback, keras.callbacks.SwapEMAWeights):
            callback.on_test_end()
    # On other backends than TensorFlow, Keras has already replaced the plain weights by the averaged ones. The
    # checkpoint of the last epoch leads to the same end.
    if keras.backend.backend() == "tensorflow" or not model.optimizer.use_ema:
        checkpoint.save_state()
