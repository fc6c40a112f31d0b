"""Training: from a Config to a run folder."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import keras
from rich.console import Console

from skelgnn_tf import checkpoints
from skelgnn_tf.configs.config import Config, flag
from skelgnn_tf.datasets.clip import Clip
from skelgnn_tf.datasets.sequences import ActionSet
from skelgnn_tf.training.action.task import Recognition
from skelgnn_tf.training.callbacks import Checkpoint, NotANumber, StopAtNaN, TerminalProgress, steps_taken
from skelgnn_tf.training.distribute import scope
from skelgnn_tf.training.lift.task import Lifting

#: Data, model, loss and optimizer of each task; the two classes have the same members.
TASKS = {"lift": Lifting, "action": Recognition}
Task = Lifting | Recognition
#: What a model may have otherwise than the one that it goes on from.
_FREE = {"name", "dtype", "trainable", "dropout", "rotation", "scaling", "shear", "joint_drop", "seed"}


def train(
    config: Config,
    folder: Path,
    *,
    resume: bool = False,
    distribute: str = "auto",
    clips: Sequence[Clip] | ActionSet | None = None,
    compress: Callable[[keras.Model, Iterable, int], tuple[keras.Model, list[keras.callbacks.Callback]]] | None = None,
    console: Console | None = None,
) -> Path:
    """Trains a model and leaves it in a run folder; a run that stood there before is moved aside.

    Args:
        config: All that defines the run.
        folder: Where the run goes: config.json, model.keras (best epoch), last.keras, checkpoints/, history.csv, logs/.
        resume: Go on with the run in `folder`, to the same end as if it had never stopped.
        distribute: "auto", "none" or "mirrored", as `distribute.scope` has it.
        clips: Training clips, or for recognition an ActionSet, instead of what the config's data sets give.
        compress: Of (model, batches, steps), gives the model to train in its place and callbacks, as
            `export.quantize.compression` does for a config that asks for it.
        console: Where progress is shown.

    Returns:
        The folder.

    Raises:
        ValueError, FileNotFoundError: Data or settings that do not fit; nothing is written then.
        NotANumber: The loss became NaN; the last good epoch stays resumable.
        KeyboardInterrupt: Ctrl-C, after the state was saved.
    """
    console = console or Console()
    task = TASKS[config.task](config, clips, console)
    config = task.config
    validation = task.validation_batches()

    keras.utils.set_random_seed(config.seed)
    steps = task.steps
    with scope(distribute) as replicas:
        keras.config.set_dtype_policy("mixed_bfloat16" if config.mixed_precision else "float32")
        try:
            built = task.build()
        finally:
            keras.config.set_dtype_policy("float32")
        if config.start and not resume:
            start_from(config.start, built)
        model, compressing = (
            (built, []) if compress is None else compress(built, task.batches(0, 1), steps * config.epochs)
        )
        optimizer = task.optimizer()
        model.compile(
            optimizer,
            loss=task.loss,
            metrics=task.metrics(),
            jit_compile=config.xla or keras.backend.backend() == "jax",
        )
        optimizer.build(model.trainable_variables)

    # Of a model that is being pruned only the last epoch has as many zeros as were asked for.
    monitor = None if config.prune else task.monitor
    checkpoint = Checkpoint(folder, config, monitor, task.higher_is_better, kept=built)
    begun = checkpoint.restore(model)["steps"] if resume else 0
    if resume:
        (folder / "config.json").write_text(config.to_json() + "\n")
    else:
        _make_folder(folder, config, console)
    console.print(
        f"{folder}: {model.count_params():,} weights, {task.about}, {steps} steps an epoch"
        + (f", {replicas} replicas" if replicas > 1 else "")
        + (f", resumed at step {begun}" if begun else ""),
        highlight=False,
        soft_wrap=True,
    )
    if begun % steps == 0 and checkpoint.epochs < begun // steps and validation is not None:
        _finish_epoch(model, checkpoint, validation, begun // steps - 1)
    if begun >= steps * config.epochs:
        console.print(f"all {config.epochs} epochs are done; give a larger --epochs to train on")
        return folder
    progress = TerminalProgress(steps, config.epochs, task.units_per_step, task.metric, console, unit=task.unit)
    callbacks = [
        StopAtNaN(lambda step: describe_batch(task, step)),
        *([keras.callbacks.SwapEMAWeights()] if optimizer.use_ema and validation is not None else []),
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
        if hasattr(model, "jax_state_sync"):
            model.jax_state_sync()
        for callback in callbacks:
            # During validation the averaged weights stand in the model.
            if isinstance(callback, keras.callbacks.SwapEMAWeights):
                callback.on_test_end()
        # Off TensorFlow, Keras has by now put the averaged weights in the place of the plain ones; the last epoch's
        # checkpoint leads to the same end.
        if keras.backend.backend() == "tensorflow" or not optimizer.use_ema:
            checkpoint.save_state()
        console.print(
            f"stopped at step {steps_taken(model)}; go on with: skelgnn-tf train --resume --output {folder}",
            soft_wrap=True,
        )
        raise
    except NotANumber:
        progress.close()
        raise
    return folder


def start_from(path: str, model: keras.Model) -> None:
    """Gives a fresh model the weights of a trained one.

    Raises:
        FileNotFoundError: No such model.
        ValueError: One that is built otherwise; names what differs.
    """
    trained, _ = checkpoints.load(path)
    ours, theirs = model.get_config(), trained.get_config()
    different = [name for name in ours if name not in _FREE and ours[name] != theirs.get(name)]
    if different or type(trained) is not type(model):
        # Of a skeleton, its name.
        of = lambda values, name: values[name]["name"] if name == "skeleton" else values.get(name)  # noqa: E731
        names = ", ".join(f"{n} ({of(theirs, n)}, now {of(ours, n)})" for n in different if n != "classes")
        raise ValueError(
            f"--from {path} was built otherwise: {names or 'other classes'}; leave those options out, or train without "
            "--from"
        )
    model.set_weights(trained.get_weights())


def _fit(model, task: Task, validation, callbacks: list, begun: int) -> None:
    """The training loop, from step `begun` on."""
    steps, epochs = task.steps, task.config.epochs
    first_epoch, cut_short = divmod(begun, steps)
    rest = steps - cut_short
    if cut_short:
        # Were it to run into the end of the data, TensorFlow would count a step that was never taken.
        remainder = task.batches(begun, first_epoch + 1)
        _run(model, remainder, validation, callbacks, first_epoch, first_epoch + 1, rest)
        if model.optimizer.use_ema:
            # Keras ends every fit with the averaged weights; training goes on with the plain ones.
            next(c for c in callbacks if isinstance(c, Checkpoint)).restore(model)
        first_epoch += 1
    if first_epoch < epochs:
        data = task.batches(first_epoch * steps, epochs)
        _run(model, data, validation, callbacks, first_epoch, epochs, steps)


def _finish_epoch(model, checkpoint: Checkpoint, validation, epoch: int) -> None:
    """Scores and keeps an epoch that was stopped in its validation."""
    swap = [keras.callbacks.SwapEMAWeights()] if model.optimizer.use_ema else []
    scores = model.evaluate(validation, verbose=0, return_dict=True, callbacks=swap)
    checkpoint.set_model(model)
    checkpoint.on_epoch_end(epoch, {f"val_{name}": score for name, score in scores.items()})


def _run(model, data, validation, callbacks: list, first_epoch: int, epochs: int, steps: int) -> None:
    model.fit(
        data, validation_data=validation, callbacks=callbacks, verbose=0,
        initial_epoch=first_epoch, epochs=epochs, shuffle=False,
        # Batches from arrays know their number and change with each epoch only if they are asked for it.
        steps_per_epoch=None if isinstance(data, keras.utils.PyDataset) else steps,
    )  # fmt: skip


def describe_batch(task: Task, step: int) -> str:
    """Names epoch, batch and clips of a step, for messages."""
    epoch, batch = divmod(step, task.steps)
    where, names = f"epoch {epoch + 1}, batch {batch + 1}", task.clips_of_step(step)
    if not names:
        return where
    return f"{where}, clips {', '.join(names[:5])}" + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _make_folder(folder: Path, config: Config, console: Console) -> None:
    """An empty run folder with its config.json; what stood there is moved aside, not lost.

    Raises:
        ValueError: The folder cannot be written.
    """
    try:
        if folder.exists() and any(folder.iterdir()):
            if not (folder / "config.json").exists():
                raise ValueError(f"{folder} holds something that is no run of skelgnn-tf; choose another --output")
            number = 1
            while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
                number += 1
            folder.rename(aside)
            console.print(f"the run that was in {folder} is now {aside}")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(config.to_json() + "\n")
    except OSError as error:
        raise ValueError(f"cannot write {folder}: {error.strerror}; choose another --output") from error


def link_last(folder: Path) -> None:
    """runs/last, in the working directory, points to a run wherever it lies."""
    link, beside = Path("runs/last"), Path("runs/.last.partial")
    if folder.absolute() == link.absolute() or (link.exists() and not link.is_symlink()):
        return
    link.parent.mkdir(exist_ok=True)
    beside.unlink(missing_ok=True)
    beside.symlink_to(os.path.relpath(folder.resolve(), link.parent.resolve()))
    os.replace(beside, link)


def default_folder(config: Config) -> Path:
    """runs/<data sets>-<frames>f-<time>, with the stream's name for recognition."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    what = f"{config.frames}f" if config.task == "lift" else config.stream
    return Path("runs") / f"{'-'.join(config.dataset)}-{what}-{now}"


def resumed_config(folder: Path, **changes) -> Config:
    """The config of the run in `folder`, of which only the number of epochs may change.

    Raises:
        FileNotFoundError: No run there.
        ValueError: Changes other than `epochs`.
    """
    file = folder / "config.json"
    if not file.exists():
        raise FileNotFoundError(f"--resume found no run in {folder} (no config.json); name it with --output")
    try:
        config = Config.from_json(file.read_text())
    except ValueError as error:
        raise ValueError(f"{file} is damaged or of another version: {error}") from error
    free = ("epochs", "data_dir", "data_file", "labels")
    different = [name for name, value in changes.items() if name not in free and getattr(config, name) != value]
    if different:
        names = ", ".join(flag(f) for f in dataclasses.fields(Config) if f.name in different)
        raise ValueError(
            f"--resume keeps the settings of {folder}; leave out {names} (only --epochs and where the data lie may "
            "change)"
        )
    return config.replace(**{name: value for name, value in changes.items() if name in free})
