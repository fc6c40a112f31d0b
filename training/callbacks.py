"""What happens beside the training steps: progress on the terminal, checkpoints, and the watch for NaN."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from skelgnn_tf.atomic_write import atomic_write
from skelgnn_tf.configs.config import Config, save_model


class NotANumber(ValueError):
    """The loss became NaN or infinite."""


def steps_taken(model: keras.Model) -> int:
    """Steps of the model's optimizer so far; with several replicas their counter is no plain number."""
    return int(keras.ops.convert_to_numpy(model.optimizer.iterations))


class StopAtNaN(keras.callbacks.Callback):
    """Ends training with NotANumber at the first batch whose loss is NaN or infinite.

    Args:
        describe: Says what batch a step (counted from 0 over the whole run) is, e.g. which clips it comes from.
    """

    def __init__(self, describe: Callable[[int], str]) -> None:
        super().__init__()
        self.describe = describe

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Looks at the loss, a running mean that NaN never leaves again."""
        if not math.isfinite(float(logs["loss"])):
            step = steps_taken(self.model) - 1
            raise NotANumber(
                f"the loss is {float(logs['loss'])} at step {step}: {self.describe(step)}. Look at those clips, or "
                "choose a smaller --learning-rate"
            )


class Checkpoint(keras.callbacks.Callback):
    """Keeps what resuming needs, the last model and the best one in the run folder.

    Args:
        folder: The run folder.
        config: Saved inside the models.
        monitor: Name of the score that the best model has the least of; None takes the last for the best.
        higher_is_better: The best has the most of it instead.
        kept: The model that is saved, where it is trained inside another one; None for the one that is trained.
    """

    def __init__(
        self,
        folder: Path,
        config: Config,
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
        """JSON with the steps taken, the epochs finished and the best score so far."""
        return self.folder / "checkpoints" / "state.json"

    def restore(self, model: keras.Model) -> dict:
        """Puts a model, its optimizer and its dropout back to where the run stopped; gives {"steps", "epochs", "best"}.

        Raises:
            FileNotFoundError: The run has no checkpoint.
            ValueError: The checkpoint is damaged.
        """
        if not self.state_file.exists():
            raise FileNotFoundError(
                f"{self.folder} has no checkpoint to resume from ({self.state_file} is missing); train without --resume"
            )
        try:
            state = json.loads(self.state_file.read_text())
            model.load_weights(self.state_file.parent / state["weights"])
            for variable, value in zip(_seeds(model), state["seeds"], strict=True):
                variable.assign(value)
            self.best = state["best"] if state["best"] is not None else math.inf
            self.epochs = state["epochs"]
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise ValueError(f"{self.state_file} is damaged ({error}); train again without --resume") from error
        return state

    def save_state(self) -> None:
        """Writes weights, optimizer and step; the state file is renamed into place last, so that it is never half."""
        steps = steps_taken(self.model)
        weights = self.state_file.with_name(f"step{steps}.weights.h5")
        weights.parent.mkdir(exist_ok=True)
        self.model.save_weights(weights)
        state = {
            "steps": steps,
            "epochs": self.epochs,
            "best": self.best if math.isfinite(self.best) else None,
            "weights": weights.name,
            "seeds": [keras.ops.convert_to_numpy(v).tolist() for v in _seeds(self.model)],
        }
        with atomic_write(self.state_file) as beside:
            beside.write_text(json.dumps(state))
        for old in weights.parent.glob("step*.weights.h5"):
            if old != weights:
                old.unlink()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Saves the last model, and the best one if this is it."""
        # Among equals the later one has seen more.
        score = self.sign * float(logs[self.monitor]) if self.monitor else math.inf
        better = score <= self.best
        self.best, self.epochs = min(score, self.best), epoch + 1
        self.save_state()
        # The averaged weights are what is used later, the plain ones what training goes on with.
        averaged = self.model.optimizer.use_ema
        plain = [keras.ops.convert_to_numpy(v) for v in self.model.trainable_variables] if averaged else []
        if averaged:
            self.model.optimizer.finalize_variable_values(self.model.trainable_variables)
        kept = self.model if self.kept is None else self.kept
        save_model(kept, self.config, self.folder / "last.keras")
        if better:
            save_model(kept, self.config, self.folder / "model.keras")
        for variable, value in zip(self.model.trainable_variables, plain, strict=False):
            variable.assign(value)


def _seeds(model: keras.Model) -> list:
    """The states of dropout's random numbers, which Keras leaves out of a model's weights."""
    kept = {id(v) for v in model.weights}
    return [v for v in model.variables if id(v) not in kept]


class TerminalProgress(keras.callbacks.Callback):
    """A bar for each epoch: loss, score, frames or clips per second, time left.

    Args:
        steps: Steps in an epoch.
        epochs: Last epoch.
        units_per_step: What the rate counts in a batch: frames (a window's all counted) or clips.
        metric: Name of the metric in the logs, and how it is shown: ("mpjpe_mm", "MPJPE {:.1f} mm").
        console: Where it is drawn.
        unit: What the rate counts.
    """

    def __init__(
        self, steps: int, epochs: int, units_per_step: int, metric: tuple[str, str], console: Console, unit: str
    ) -> None:
        super().__init__()
        self.steps, self.epochs, self.units_per_step, self.metric = steps, epochs, units_per_step, metric
        self.console, self.unit, self.done = console, unit, 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Opens the bar."""
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

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Moves the bar; the scores are read now and then only, since reading them waits for the device."""
        self.done = batch + 1
        if self.done % 10 == 1:
            self.progress.update(self.task, completed=self.done, scores=self._scores(logs))

    def _scores(self, logs: dict, prefix: str = "") -> str:
        name, shown = self.metric
        return f"loss {float(logs[prefix + 'loss']):.4f}  {shown.format(float(logs[prefix + name]))}" + (
            "" if prefix else f"  {self.rate_so_far():,.0f} {self.unit}/s"
        )

    def rate_so_far(self) -> float:
        """Rate of this epoch so far."""
        return self.done * self.units_per_step / max(time.perf_counter() - self.begun, 1e-9)

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Notes the training rate before validation takes its time."""
        self.rate = self.rate_so_far()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Replaces the bar by one line."""
        self.progress.stop()
        seconds = time.perf_counter() - self.begun
        name, shown = self.metric
        rate = getattr(self, "rate", None) or self.rate_so_far()
        line = f"epoch {epoch + 1}/{self.epochs}  loss {logs['loss']:.4f}  {shown.format(logs[name])}"
        if f"val_{name}" in logs:
            line += f"  validation {shown.format(logs['val_' + name])}"
        self.console.print(f"{line}  {rate:,.0f} {self.unit}/s  {seconds:.0f} s", highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Takes the bar away when training is cut short."""
        if hasattr(self, "progress"):
            self.progress.stop()
