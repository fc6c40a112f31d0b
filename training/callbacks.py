"""Callbacks of training: progress on the terminal, checkpoints, and a stop at NaN."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from skelgnn_tf import checkpoints
from skelgnn_tf.atomic_write import atomic_write
from skelgnn_tf.configs import ActionConfig, LiftConfig


class NotANumber(ValueError):
    """The loss is NaN or infinite."""


def steps_taken(model: keras.Model) -> int:
    """Number of steps of the model's optimizer; with several replicas its counter is a distributed value."""
    return int(keras.ops.convert_to_numpy(model.optimizer.iterations))


class StopAtNaN(keras.callbacks.Callback):
    """Stops training with NotANumber at the first batch whose loss is NaN or infinite.

    Args:
        describe: From a step, counted from 0 over the whole run, to a description of its batch for the message.
    """

    def __init__(self, describe: Callable[[int], str]) -> None:
        super().__init__()
        self.describe = describe

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Checks the loss, a running mean that stays NaN."""
        loss = float((logs or {})["loss"])
        if not math.isfinite(loss):
            step = steps_taken(self.model) - 1
            raise NotANumber(
                f"the loss must be finite. Received: {loss} at step {step}: {self.describe(step)}. Check those clips, "
                "or use a smaller --learning-rate."
            )


class Checkpoint(keras.callbacks.Callback):
    """Saves the state for resuming, the last model and the best model in the run folder.

    Args:
        folder: Run folder.
        config: Config that is saved inside the models.
        monitor: Name of the score that the best model minimizes; None keeps the last model.
        higher_is_better: The best model maximizes the score.
        kept: Model to save if it is trained inside another one; None saves the trained model.
    """

    def __init__(
        self,
        folder: Path,
        config: LiftConfig | ActionConfig,
        monitor: str | None,
        higher_is_better: bool = False,
        kept: keras.Model | None = None,
    ) -> None:
        super().__init__()
        self.folder, self.config, self.monitor, self.sign = folder, config, monitor, -1 if higher_is_better else 1
        self.kept = kept
        self.best, self.epochs = math.inf, 0

    @property
    def state_file(self) -> Path:
        """JSON file with the steps taken, the epochs finished and the best score."""
        return self.folder / "checkpoints" / "state.json"

    def restore(self, model: keras.Model) -> dict[str, Any]:
        """Restores the weights, optimizer and random states of a model.

        Args:
            model: The compiled model.

        Returns:
            The content of `state_file`: "steps", "epochs", "best" and more.

        Raises:
            FileNotFoundError: The run has no checkpoint.
            ValueError: The checkpoint is damaged.
        """
        if not self.state_file.exists():
            raise FileNotFoundError(
                f"{self.folder} must have a checkpoint for --resume. Received: no {self.state_file.name} in "
                f"{self.state_file.parent}. Train without --resume."
            )
        try:
            state = json.loads(self.state_file.read_text())
            model.load_weights(self.state_file.parent / state["weights"])
            for variable, value in zip(_seeds(model), state["seeds"], strict=True):
                variable.assign(value)
            self.best = state["best"] if state["best"] is not None else math.inf
            self.epochs = state["epochs"]
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise ValueError(f"{self.state_file} is damaged: {error}. Train again without --resume.") from error
        return state

    def save_state(self) -> None:
        """Saves weights, optimizer and step. The state file comes last, so that it always names complete weights."""
        steps = steps_taken(self.model)
        weights = self.state_file.with_name(f"step{steps}.weights.h5")
        weights.parent.mkdir(exist_ok=True)
        self.model.save_weights(weights)
        state = {
            "format": 1,
            "steps": steps,
            "epochs": self.epochs,
            "best": self.best if math.isfinite(self.best) else None,
            "weights": weights.name,
            "seeds": [keras.ops.convert_to_numpy(v).tolist() for v in _seeds(self.model)],
        }
        with atomic_write(self.state_file) as tmp:
            tmp.write_text(json.dumps(state))
        for old in weights.parent.glob("step*.weights.h5"):
            if old != weights:
                old.unlink()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves the last model, and the best model if this is the best epoch so far."""
        # Of equal scores, the later one is the best: the model has seen more.
        score = self.sign * float((logs or {})[self.monitor]) if self.monitor else math.inf
        better = score <= self.best
        self.best, self.epochs = min(score, self.best), epoch + 1
        self.save_state()
        # The saved models get the averaged weights, and training continues with the plain ones.
        averaged = self.model.optimizer.use_ema
        plain = [keras.ops.convert_to_numpy(v) for v in self.model.trainable_variables] if averaged else []
        if averaged:
            self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
        kept = self.model if self.kept is None else self.kept
        checkpoints.save(kept, self.config, self.folder / "last.keras")
        if better:
            checkpoints.save(kept, self.config, self.folder / "model.keras")
        for variable, value in zip(self.model.trainable_variables, plain, strict=False):
            variable.assign(value)


def _seeds(model: keras.Model) -> list[Any]:
    """The states of the random generators, such as dropout's, which are not among the model's weights."""
    kept = {id(v) for v in model.weights}
    return [v for v in model.variables if id(v) not in kept]


class TerminalProgress(keras.callbacks.Callback):
    """A progress bar for each epoch with loss, score, frames or clips per second, and time left.

    Args:
        steps: Steps in an epoch.
        epochs: Number of the last epoch.
        units_per_step: Frames (all frames of a window) or clips in a batch.
        metric: Name of the score in the logs, and its format: ("mpjpe_mm", "MPJPE {:.1f} mm").
        console: Where the bar is drawn.
        unit: What the rate counts: "frames" or "clips".
    """

    def __init__(
        self, steps: int, epochs: int, units_per_step: int, metric: tuple[str, str], console: Console, unit: str
    ) -> None:
        super().__init__()
        self.steps, self.epochs, self.units_per_step, self.metric = steps, epochs, units_per_step, metric
        self.console, self.unit, self.done = console, unit, 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the bar."""
        columns = (
            "epoch {task.fields[epoch]}",
            BarColumn(24),
            "{task.completed}/{task.total}",
            "{task.fields[scores]}",
        )
        self.progress = Progress(
            *(c if isinstance(c, BarColumn) else TextColumn(c) for c in columns),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        name = f"{epoch + 1}/{self.epochs}"
        self.task = self.progress.add_task("", total=self.params["steps"] or self.steps, epoch=name, scores="")
        self.progress.start()
        self.begun = time.perf_counter()
        self.done = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Updates the bar at every tenth batch, because reading the scores waits for the device."""
        self.done = batch + 1
        if self.done % 10 == 1:
            self.progress.update(self.task, completed=self.done, scores=self._scores(logs or {}))

    def _scores(self, logs: dict[str, Any]) -> str:
        name, shown = self.metric
        return (
            f"loss {float(logs['loss']):.4f}  {shown.format(float(logs[name]))}  "
            f"{self.rate_so_far():,.0f} {self.unit}/s"
        )

    def rate_so_far(self) -> float:
        """Frames or clips per second in this epoch."""
        return self.done * self.units_per_step / max(time.perf_counter() - self.begun, 1e-9)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Keeps the training rate, so that it does not include the validation."""
        self.rate = self.rate_so_far()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Replaces the bar with one line."""
        self.progress.stop()
        seconds = time.perf_counter() - self.begun
        name, shown = self.metric
        rate = getattr(self, "rate", None) or self.rate_so_far()
        logs = logs or {}
        line = f"epoch {epoch + 1}/{self.epochs}  loss {logs['loss']:.4f}  {shown.format(logs[name])}"
        if f"val_{name}" in logs:
            line += f"  validation {shown.format(logs['val_' + name])}"
        self.console.print(f"{line}  {rate:,.0f} {self.unit}/s  {seconds:.0f} s", highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Removes the bar when training is interrupted."""
        if hasattr(self, "progress"):
            self.progress.stop()
