"""TrainConfig: what the configs of both tasks share, and how a config checks and stores itself."""

from __future__ import annotations

import dataclasses
import json
import typing
from dataclasses import dataclass
from typing import Any, ClassVar

if typing.TYPE_CHECKING:
    from typing_extensions import Self

#: Of config.json. Version 0.1 wrote no number; its files have the same keys.
FORMAT = 2

#: Groups of settings, in the order in which the command line and TOML files show them.
DATA, MODEL, AUGMENTATION, OPTIMIZATION, COMPRESSION = "Data", "Model", "Augmentation", "Optimization", "Compression"
GROUPS = (DATA, MODEL, AUGMENTATION, OPTIMIZATION, COMPRESSION)

#: Stands for a default that another setting decides, until the config is complete.
_BY_OTHER: Any = object()


def option(
    default: Any,
    help: str,
    group: str,
    *,
    choices: tuple[str, ...] = (),
    at_least: float | None = None,
    below: float | None = None,
    flag: str = "",
) -> Any:
    """A field of a config: its default, its help on the command line, and the range it must keep.

    Args:
        default: Value if nothing else is said.
        help: One or two sentences for `skelgnn-tf train --help`.
        group: One of the groups above.
        choices: The only strings allowed; empty allows any.
        at_least: Smallest value allowed.
        below: Exclusive upper limit.
        flag: Name on the command line; derived from the field's name if empty.
    """
    limits = {"choices": choices, "at_least": at_least, "below": below, "flag": flag}
    return dataclasses.field(default=default, metadata={"help": help, "group": group, "by": None} | limits)


def option_by(other: str, defaults: dict[str, Any], help: str, group: str, **limits: Any) -> Any:
    """A field whose default depends on another setting: `defaults` maps that setting's values to defaults."""
    field = option(_BY_OTHER, help, group, **limits)
    return dataclasses.field(default=_BY_OTHER, metadata=dict(field.metadata) | {"by": (other, defaults)})


def flag(field: dataclasses.Field) -> str:
    """Name of a field on the command line."""
    return field.metadata["flag"] or "--" + field.name.replace("_", "-")


@dataclass(frozen=True)
class TrainConfig:
    """What `LiftConfig` and `ActionConfig` have in common. Every field is an option of `skelgnn-tf train`.

    Raises:
        ValueError: A value of another type than its field, out of range, or not among the choices; names the option.
    """

    #: "lift" or "action".
    task: ClassVar[str]
    #: The task in words, for messages.
    task_name: ClassVar[str]

    dataset: tuple[str, ...] = option(("fitness",), "Data set. Repeat to mix several (pose lifting only).", DATA)
    data_dir: tuple[str, ...] = option(
        (), "Folder with the files of the data set. Repeat for each data set that has files.", DATA
    )
    rate_jitter: float = option(
        0.0, "Vary the speed of training windows by up to this factor either way, e.g. 0.25.", AUGMENTATION, at_least=0
    )
    squeeze: float = option(0.125, "Squeeze ratio d: share of the channels kept with each further hop.", MODEL)
    dynamic: bool = option(True, "Learn a dynamic graph (D-HCSF) or use a static one (HCSF).", MODEL)
    temporal_kernel: int = option(3, "Frames F that the dynamic graph looks at.", MODEL, at_least=1)
    joint_drop: float = option(
        0.0,
        "Share of joints missing in training. Pose lifting requires --confidence.",
        AUGMENTATION,
        at_least=0,
        below=1,
    )
    mixed_precision: bool = option(False, "Compute activations in bfloat16.", OPTIMIZATION)
    xla: bool = option(False, "Compile the training step with XLA.", OPTIMIZATION)
    seed: int = option(0, "Random seed of weights, order and augmentation.", OPTIMIZATION, at_least=0)
    start: str = option(
        "",
        "Continue from the weights and settings of this run, .keras file or preset. The learning rate and the number "
        "of epochs default to a tenth of its own.",
        COMPRESSION,
        flag="--from",
    )
    quantize_aware: bool = option(
        False, "Train with 8-bit rounding, for export --quantize int8. Requires --from.", COMPRESSION
    )
    prune: float = option(
        0.0,
        "Share of the weights set to zero, the smallest first. Requires --ema 0.",
        COMPRESSION,
        at_least=0,
        below=1,
    )

    def __post_init__(self) -> None:
        types = _types(type(self))
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is _BY_OTHER:
                other, defaults = field.metadata["by"]
                # A wrong value of the other setting is reported below, by its own field.
                value = defaults.get(getattr(self, other), next(iter(defaults.values())))
            object.__setattr__(self, field.name, typed(value, types[field.name], flag(field)))
            self._check_range(field)
        if self.quantize_aware and not self.start:
            raise ValueError("--quantize-aware must be used with --from. It rounds the weights of a trained model.")
        # Fields that each task declares with its own default.
        own: Any = self
        if self.prune and own.ema:
            raise ValueError("--prune must be used with --ema 0. An average of weights is never exactly zero.")
        if not 0 < self.squeeze <= 1:
            raise ValueError(f"--squeeze must be above 0 and at most 1. Received: {self.squeeze}.")
        if own.short_hops > own.max_hops:
            raise ValueError(f"--short-hops must be at most --max-hops ({own.max_hops}). Received: {own.short_hops}.")

    def _check_range(self, field: dataclasses.Field) -> None:
        value, meta, name = getattr(self, field.name), field.metadata, flag(field)
        if meta["choices"] and value not in meta["choices"]:
            raise ValueError(f"{name} must be one of {', '.join(meta['choices'])}. Received: {value}.")
        # "not >=" refuses NaN too.
        if meta["at_least"] is not None and not value >= meta["at_least"]:
            raise ValueError(f"{name} must be at least {meta['at_least']}. Received: {value}.")
        if meta["below"] is not None and not value < meta["below"]:
            raise ValueError(f"{name} must be less than {meta['below']}. Received: {value}.")

    def replace(self, **changes: Any) -> Self:
        """A copy with other values.

        A setting that still has the default of another one (see `option_by`) follows when that one changes.

        Raises:
            TypeError: An unknown name.
            ValueError: As the constructor.
        """
        for field in dataclasses.fields(self):
            if field.metadata["by"] is None:
                continue
            other, defaults = field.metadata["by"]
            before = getattr(self, other)
            if changes.get(other, before) != before and getattr(self, field.name) == defaults[before]:
                changes.setdefault(field.name, _BY_OTHER)
        return dataclasses.replace(self, **changes)

    def fine_tuning(self, start: str, **changes: Any) -> Self:
        """The config of a run that continues from `start`, a model trained with this one.

        Unless `changes` say otherwise, the learning rate and the number of epochs are a tenth of this config's.

        Raises:
            ValueError: Changes that do not fit.
        """
        own: Any = self
        cautious: dict[str, Any] = {
            "learning_rate": own.learning_rate / 10,
            "epochs": max(1, own.epochs // 10),
            "quantize_aware": False,
            "prune": 0.0,
        }
        if changes.get("prune"):
            cautious["ema"] = 0.0
        if changes.get("quantize_aware"):
            # Compiling the rounded graph takes minutes and gains nothing.
            cautious["xla"] = False
        return self.replace(**cautious | changes | {"start": str(start)})

    def to_dict(self) -> dict[str, Any]:
        """Plain values by field name."""
        return dataclasses.asdict(self)

    def to_json(self) -> str:
        """The text of a config.json: `format`, `task`, and a key for each field."""
        return json.dumps({"format": FORMAT, "task": self.task} | self.to_dict(), indent=2)


def _types(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def typed(value: Any, wanted: Any, name: str) -> Any:
    """The value in its field's type: a list becomes a tuple, an integer a float; nothing else is converted.

    Raises:
        ValueError: A value of another type.
    """
    if typing.get_origin(wanted) is tuple:
        values = (value,) if isinstance(value, str) else value
        if isinstance(values, (list, tuple)) and all(isinstance(one, str) for one in values):
            return tuple(values)
        raise ValueError(f"{name} must be a list of strings. Received: {value!r}.")
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # A bool is an int to Python, but not to a reader of a config.
    if not isinstance(value, wanted) or (wanted is not bool and isinstance(value, bool)):
        words = {int: "an integer", float: "a number", bool: "true or false", str: "a string"}
        raise ValueError(f"{name} must be {words[wanted]}. Received: {value!r}.")
    return value
