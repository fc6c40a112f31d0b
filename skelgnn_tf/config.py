"""Config: all that defines a run, as one flat frozen value; and the file that carries a model with it."""

from __future__ import annotations

import dataclasses
import json
import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from skelgnn_tf import skeletons

#: Name of the Config inside a `.keras` file, beside Keras' own members.
_MEMBER = "skelgnn_tf.json"


def _option(
    default, help: str, choices: tuple[str, ...] = (), at_least: float | None = None, below: float | None = None
):
    """A field with what the command line shows of it and the range that it must keep."""
    return field(default=default, metadata={"help": help, "choices": choices, "at_least": at_least, "below": below})


@dataclass(frozen=True)
class Config:
    """Data, model and training of a run. Every field is an option of `skelgnn-tf train`; the defaults are the paper's.

    Raises:
        ValueError: A value out of its range or not among its choices; names the field.

    Example:
        >>> Config(frames=9, channels=64).replace(epochs=10).epochs
        10
    """

    # Data
    dataset: tuple[str, ...] = _option(("fitness",), "data set; given several times, they are mixed")
    data_dir: tuple[str, ...] = _option((), "folder of the data set's files; one for each data set that has files")
    keypoints: str = _option("gt", "h36m: which data_2d_h36m_<name>.npz (gt, cpn_ft_h36m_dbb, ...)")
    protocol: str = _option(
        "camera",
        "camera: metres in camera space; pixel: image x, y and a depth scaled like pixels",
        ("camera", "pixel"),
    )
    fitness_clips: int = _option(250, "fitness: how many training clips of 240 frames to generate", at_least=1)
    views: str = _option(
        "file", "file: the data set's own views; random: drawn cameras, anew each epoch", ("file", "random")
    )
    fps: float = _option(0.0, "resample windows to this frame rate; 0 keeps each clip's own", at_least=0)
    rate_jitter: float = _option(0.0, "window speed varies by up to this factor either way, e.g. 0.25", at_least=0)
    stride: int = _option(1, "train on every N-th window", at_least=1)
    limit_train: int = _option(0, "train on at most this many frames; 0 takes all", at_least=0)
    validation: float = _option(0.05, "share of the training takes kept to choose the best epoch", at_least=0, below=1)
    # Model
    skeleton: str = _option(
        "h36m_17",
        "joints and graph; h36m_17_lcn has LCN's extra edges",
        ("h36m_17", "h36m_17_lcn", "mpi_inf_3dhp_17"),
    )
    frames: int = _option(1, "window length T, odd: 1, 9, 27, 81", at_least=1)
    channels: int = _option(128, "width C", at_least=1)
    blocks: int = _option(0, "residual blocks; 0: 2 up to 9 frames, 3 for 27, 4 for 81", at_least=0)
    short_hops: int = _option(1, "S, hops at full width", at_least=0)
    max_hops: int = _option(2, "L, furthest hop", at_least=0)
    squeeze: float = _option(0.125, "d, share of channels kept with each further hop")
    dynamic: bool = _option(True, "dynamic graph (D-HCSF) or static (HCSF)")
    temporal_kernel: int = _option(3, "F, frames the dynamic graph looks at", at_least=1)
    sharing: str = _option("pair", "weights by joint pair (LCN) or shared (GCN)", ("pair", "shared"))
    dropout: float = _option(0.25, "share of channels dropped", at_least=0, below=1)
    causal: bool = _option(False, "no look-ahead, for live use")
    every_frame: bool = _option(False, "a pose for each frame of the window instead of one")
    confidence: bool = _option(False, "third input channel; 0 marks a missing keypoint")
    keypoint_frame: str = _option(
        "screen", "screen: VideoPose3D's scaling; person: the person's own box, for phones", ("screen", "person")
    )
    # Augmentation
    flip: bool = _option(True, "mirror half of the windows in training, and average with the mirrored at test")
    noise: float = _option(0.0, "keypoint noise, as a share of the person's box", at_least=0)
    joint_offset: float = _option(0.0, "joints defined elsewhere, by this many metres (random views)", at_least=0)
    joint_drop: float = _option(0.0, "share of keypoints missing (wants --confidence)", at_least=0, below=1)
    side_swap: float = _option(0.0, "share of windows where left is taken for right for a while", at_least=0, below=1)
    # Training
    epochs: int = _option(80, "passes over the training windows", at_least=1)
    batch_size: int = _option(256, "windows a step", at_least=1)
    learning_rate: float = _option(1e-3, "Adam's, at the start", at_least=0)
    decay: float = _option(0.95, "the learning rate's factor after each epoch", at_least=0)
    ema: float = _option(0.0, "average of the weights with this momentum, e.g. 0.999; 0 is off", at_least=0, below=1)
    mixed_precision: bool = _option(False, "bfloat16 activations")
    xla: bool = _option(False, "compile the step with XLA")
    seed: int = _option(0, "of weights, order and augmentation", at_least=0)

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            value, meta = getattr(self, f.name), f.metadata
            option = "--" + f.name.replace("_", "-")
            if meta["choices"] and value not in meta["choices"]:
                raise ValueError(f"{option} wants {' or '.join(meta['choices'])}; got {value!r}")
            # "not >=" refuses NaN too.
            if meta["at_least"] is not None and not value >= meta["at_least"]:
                raise ValueError(f"{option} wants {meta['at_least']} or more; got {value}")
            if meta["below"] is not None and value >= meta["below"]:
                raise ValueError(f"{option} wants less than {meta['below']}; got {value}")
        object.__setattr__(self, "dataset", tuple(self.dataset))
        object.__setattr__(self, "data_dir", tuple(self.data_dir))
        # The model would say so too, but only after the data are loaded.
        if self.frames % 2 == 0:
            raise ValueError(f"--frames wants an odd number, such as 1, 9, 27 or 81; got {self.frames}")
        if self.short_hops > self.max_hops:
            raise ValueError(f"--short-hops wants at most --max-hops ({self.max_hops}); got {self.short_hops}")
        if not 0 < self.squeeze <= 1:
            raise ValueError(f"--squeeze wants 0 < d <= 1; got {self.squeeze}")
        if self.joint_drop and not self.confidence:
            raise ValueError("--joint-drop wants --confidence, the channel that says which keypoints are missing")
        if self.joint_offset and self.views != "random":
            raise ValueError("--joint-offset moves joints in 3D and so wants --views random")
        if self.protocol == "pixel" and (self.views == "random" or self.keypoint_frame == "person"):
            raise ValueError(
                "--protocol pixel predicts the picture's own x and y: it wants --views file --keypoint-frame screen"
            )

    def replace(self, **changes) -> Config:
        """The same with other values; an unknown name raises TypeError."""
        return dataclasses.replace(self, **changes)

    def to_json(self) -> str:
        """One JSON object, a key for each field."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Config:
        """The way back; ValueError names fields that this version does not know."""
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError(f"a config wants a JSON object; got {type(values).__name__}")
        unknown = sorted(set(values) - {f.name for f in dataclasses.fields(cls)})
        if unknown:
            raise ValueError(f"config has unknown fields {', '.join(unknown)}; was it written by a newer skelgnn-tf?")
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"config has a value of another type than its field: {error}") from error


def build_model(config: Config):
    """The model that a config describes, with fresh weights: a `PoseLifter`."""
    from skelgnn_tf.models import PoseLifter

    names = (
        "frames channels short_hops max_hops squeeze dynamic temporal_kernel sharing dropout causal every_frame "
        "confidence keypoint_frame"
    ).split()
    model = PoseLifter(
        skeletons.get(config.skeleton),
        blocks=config.blocks or None,
        **{name: getattr(config, name) for name in names},
    )
    model.build((None, config.frames, model.skeleton.num_joints, model.input_channels))
    return model


def save_model(model, config: Config, path: Path) -> None:
    """Writes a `.keras` file that carries its Config; written beside and renamed, so that no half file is left."""
    beside = path.with_name(f".{path.stem}.partial.keras")
    try:
        model.save(beside)
        with zipfile.ZipFile(beside, "a") as archive:
            archive.writestr(_MEMBER, config.to_json())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def load_model(path: Path):
    """The model and the Config of a run folder or of a `.keras` file.

    Raises:
        FileNotFoundError: Nothing there, or a run folder without a finished epoch.
        ValueError: A file that skelgnn-tf did not write.
    """
    import keras

    import skelgnn_tf.metrics
    import skelgnn_tf.models  # noqa: F401  registers what the file names

    path = Path(path)
    file = path / "model.keras" if path.is_dir() else path
    if not file.exists():
        what = (
            "holds no model.keras; was its training stopped in the first epoch?" if path.is_dir() else "does not exist"
        )
        raise FileNotFoundError(f"{path} {what}; expected a run folder, a .keras file or a preset (skelgnn-tf train)")
    try:
        with zipfile.ZipFile(file) as archive:
            config = Config.from_json(archive.read(_MEMBER).decode())
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{file} is no model of skelgnn-tf (expected a .keras file with {_MEMBER} in it)") from error
    except ValueError as error:
        raise ValueError(f"{file} is damaged or of another version: {error}") from error
    try:
        return keras.saving.load_model(file, compile=False, safe_mode=True), config
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise ValueError(f"{file} is damaged or of another version: {str(error).splitlines()[0]}") from error
