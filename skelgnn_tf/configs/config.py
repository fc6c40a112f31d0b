"""Config: all that defines a run, as one flat frozen value; and the file that carries a model with it."""

from __future__ import annotations

import dataclasses
import errno
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from skelgnn_tf import skeletons
from skelgnn_tf.atomic_write import atomic_write

TASKS = ("lift", "action")
#: How recognition is trained.
RECIPES = ("modern", "paper")
#: What the lifting data sets can be mapped to.
LIFT_SKELETONS = ("h36m_17", "h36m_17_lcn", "mpi_inf_3dhp_17")
_SAME = object()

#: Name of the Config inside a `.keras` file, beside Keras' own members.
_MEMBER = "skelgnn_tf.json"


def _option(
    default,
    help: str,
    choices: tuple[str, ...] = (),
    at_least: float | None = None,
    below: float | None = None,
    action=_SAME,
    flag: str = "",
):
    """A field with what the command line shows of it and the range that it must keep.

    Its default is None until the Config knows its task: `default` is lifting's, `action` recognition's, which may be
    one for each sampling or recipe; None there means that the task has no such field.
    """
    defaults = {"lift": default, "action": default if action is _SAME else action}
    limits = {"choices": choices, "at_least": at_least, "below": below, "flag": flag}
    return field(default=None, metadata={"help": help, "defaults": defaults} | limits)


def flag(f: dataclasses.Field) -> str:
    """The command line's name of a field."""
    return f.metadata["flag"] or "--" + f.name.replace("_", "-")


def _default(f: dataclasses.Field, task: str, sampling: str | None, recipe: str | None):
    """A field's default, None if the task has no such field."""
    default = f.metadata["defaults"][task]
    if isinstance(default, dict):
        return next(value for key, value in default.items() if key in (sampling, recipe))
    return default


@dataclass(frozen=True)
class Config:
    """Data, model and training of a run. Every field is an option of `skelgnn-tf train`; the defaults are the paper's.

    A field that the task does not have is None.

    Raises:
        ValueError: A value out of its range or not among its choices, a field of the other task; names the field.

    Example:
        >>> Config(frames=9, channels=64).replace(epochs=10).epochs
        10
        >>> Config(task="action").frames
        64
    """

    task: str = _option("lift", "lift: keypoints to 3D poses; action: sequences to actions", TASKS, action="action")
    # Data
    dataset: tuple[str, ...] = _option(("fitness",), "data set; given several times, they are mixed (lift)")
    data_dir: tuple[str, ...] = _option((), "folder of the data set's files; one for each data set that has files")
    data_file: str = _option(None, "npz or pickle that is the data set, or the one to take of --data-dir", action="")
    labels: str = _option(None, "npz: text file with the classes' names, one a line", action="")
    skip_bad: bool = _option(None, "leave bad clips out, list them and count them in the report", action=False)
    input: str = _option(
        None,
        "pose: 3D; keypoints: 2D of a detector; auto: pose where the files have it, keypoints for fitness",
        ("auto", "pose", "keypoints"),
        action="auto",
    )
    keypoints: str = _option("gt", "h36m: which data_2d_h36m_<name>.npz (gt, cpn_ft_h36m_dbb, ...)", action=None)
    protocol: str = _option(
        "camera",
        "camera: metres in camera space; pixel: image x, y and a depth scaled like pixels",
        ("camera", "pixel"),
        action=None,
    )
    fitness_clips: int = _option(
        250, "fitness: how many training clips to generate (of 240 frames; action: 300)", at_least=1, action=1300
    )
    views: str = _option(
        "file",
        "file: the data set's own views; random: drawn cameras, anew each epoch",
        ("file", "random"),
        action=None,
    )
    sampling: str = _option(
        None,
        "how a clip becomes T frames. window: at --fps from anywhere, as a live window sees it; repeat: started again "
        "until full; resize: a random crop, interpolated",
        ("window", "repeat", "resize"),
        action="window",
    )
    fps: float = _option(
        0.0,
        "resample windows to this frame rate; 0 keeps each clip's own",
        at_least=0,
        action={"window": 15.0, "repeat": 0.0, "resize": 0.0},
    )
    rate_jitter: float = _option(0.0, "window speed varies by up to this factor either way, e.g. 0.25", at_least=0)
    stride: int = _option(1, "train on every N-th window", at_least=1, action=None)
    limit_train: int = _option(0, "train on at most this many frames; 0 takes all", at_least=0, action=None)
    validation: float = _option(
        0.05, "share of the training takes kept to choose the best epoch; 0: the last", at_least=0, below=1, action=0.0
    )
    # Model
    skeleton: str = _option(
        "h36m_17",
        "joints and graph; h36m_17_lcn has LCN's extra edges; auto: the data set's own (action)",
        ("auto", *skeletons.ALL),
        action="auto",
    )
    frames: int = _option(1, "window length T; odd for lift: 1, 9, 27, 81", at_least=1, action=64)
    persons: int = _option(None, "1 or 2; 0: as many as the data have", at_least=0, below=3, action=0)
    size: str = _option(None, "the paper's nine blocks, or six for phones", ("paper", "small"), action="paper")
    channels: int = _option(128, "width C; action: of the first blocks, 0 for the size's own", at_least=0, action=0)
    blocks: int = _option(0, "residual blocks; 0: 2 up to 9 frames, 3 for 27, 4 for 81", at_least=0, action=None)
    short_hops: int = _option(1, "S, hops at full width", at_least=0, action=5)
    max_hops: int = _option(2, "L, furthest hop", at_least=0, action=7)
    squeeze: float = _option(0.125, "d, share of channels kept with each further hop")
    dynamic: bool = _option(True, "dynamic graph (D-HCSF) or static (HCSF)")
    temporal_kernel: int = _option(3, "F, frames the dynamic graph looks at", at_least=1)
    sharing: str = _option("pair", "weights by joint pair (LCN) or shared (GCN)", ("pair", "shared"), action=None)
    dropout: float = _option(
        0.25, "share of channels dropped (action: before the last layer)", at_least=0, below=1, action=0.0
    )
    causal: bool = _option(False, "no look-ahead, for live use", action=None)
    every_frame: bool = _option(False, "a pose for each frame of the window instead of one", action=None)
    confidence: bool = _option(
        False, "a further input channel; 0 marks a missing keypoint (action: where the data have it)", action=True
    )
    keypoint_frame: str = _option(
        "screen",
        "screen: VideoPose3D's scaling; person: the person's own box, for phones",
        ("screen", "person"),
        action=None,
    )
    normalization: str = _option(
        None,
        "center: the first frame's trunk is the origin; view: and the person upright, facing the camera; box: by the "
        "persons' boxes; auto: center for poses, box for keypoints",
        ("auto", "none", "center", "view", "box"),
        action="auto",
    )
    stream: str = _option(None, "what the model sees", ("joint", "bone", "joint_motion", "bone_motion"), action="joint")
    # Augmentation
    flip: bool = _option(
        True,
        "mirror half of the windows in training (lift: and average with the mirrored at test; action: classes that say "
        "a side change to their counterpart)",
        action=False,
    )
    noise: float = _option(0.0, "keypoint noise, as a share of the person's box", at_least=0, action=None)
    joint_offset: float = _option(
        0.0, "joints defined elsewhere, by this many metres (random views)", at_least=0, action=None
    )
    body_variety: float = _option(
        0.0, "bones longer and shorter by about this share (random views)", at_least=0, action=None
    )
    limb_mix: float = _option(
        0.0,
        "share of limbs that move as another clip's (random views)",
        at_least=0,
        below=1,
        action=None,
    )
    limb_turn: float = _option(
        0.0, "limbs turned by about this many degrees, heads nodding (random views)", at_least=0, action=None
    )
    side_swap: float = _option(
        0.0, "share of windows where left is taken for right for a while", at_least=0, below=1, action=None
    )
    joint_drop: float = _option(0.0, "share of joints missing (lift: wants --confidence)", at_least=0, below=1)
    frame_drop: float = _option(None, "share of frames that repeat the one before", at_least=0, below=1, action=0.0)
    rotation: float = _option(None, "clips turned by up to this many degrees about each axis", at_least=0, action=17.0)
    scaling: float = _option(None, "clips scaled by up to this share along each axis", at_least=0, below=1, action=0.1)
    shear: float = _option(None, "clips sheared by up to this much", at_least=0, action=0.0)
    # Training
    recipe: str = _option(
        None,
        "modern: AdamW, cosine; paper: SGD with momentum, / 10 at 35/60 and 45/60 of the epochs",
        RECIPES,
        action="modern",
    )
    epochs: int = _option(80, "passes over the training windows", at_least=1, action=60)
    batch_size: int = _option(256, "windows a step", at_least=1, action={"modern": 16, "paper": 64})
    learning_rate: float = _option(
        1e-3, "the optimizer's, at the start or highest", at_least=0, action={"modern": 2e-3, "paper": 0.1}
    )
    decay: float = _option(0.95, "the learning rate's factor after each epoch", at_least=0, action=None)
    weight_decay: float = _option(None, "AdamW's, or SGD's L2", at_least=0, action={"modern": 0.05, "paper": 5e-4})
    label_smoothing: float = _option(
        None, "share of the target spread over all classes", at_least=0, below=1, action={"modern": 0.1, "paper": 0.0}
    )
    class_weights: bool = _option(None, "let all classes count alike, however many clips they have", action=False)
    ema: float = _option(
        0.0,
        "average of the weights with this momentum, e.g. 0.999; 0 is off (action: over at most 5 % of the steps)",
        at_least=0,
        below=1,
        action={"modern": 0.99, "paper": 0.0},
    )
    mixed_precision: bool = _option(False, "bfloat16 activations")
    xla: bool = _option(False, "compile the step with XLA")
    seed: int = _option(0, "of weights, order and augmentation", at_least=0)
    # Compression
    start: str = _option(
        "",
        "go on from the weights of this run, .keras file or preset, and with its settings, at a tenth of its learning "
        "rate and epochs if nothing else is said",
        flag="--from",
    )
    quantize_aware: bool = _option(False, "train with 8-bit rounding, for export --quantize int8; wants --from")
    prune: float = _option(
        0.0, "share of the weights that become zero, the smallest first; wants --ema 0", at_least=0, below=1
    )

    def __post_init__(self) -> None:
        if self.task not in (None, *TASKS):
            raise ValueError(f"--task wants {' or '.join(TASKS)}; got {self.task!r}")
        object.__setattr__(self, "task", self.task or "lift")
        for f in dataclasses.fields(self):
            self._fill(f)
            self._check_range(f)
        object.__setattr__(self, "dataset", tuple(self.dataset))
        object.__setattr__(self, "data_dir", tuple(self.data_dir))
        # The model would say so too, but only after the data are loaded.
        if self.short_hops > self.max_hops:
            raise ValueError(f"--short-hops wants at most --max-hops ({self.max_hops}); got {self.short_hops}")
        if self.quantize_aware and not self.start:
            raise ValueError(
                "--quantize-aware rounds a trained model, and batch norm no longer learns then; add --from"
            )
        if self.prune and self.ema:
            raise ValueError(f"--prune wants --ema 0, for an average of weights is never zero; got --ema {self.ema}")
        if not 0 < self.squeeze <= 1:
            raise ValueError(f"--squeeze wants 0 < d <= 1; got {self.squeeze}")
        self._check_lift() if self.task == "lift" else self._check_action()

    def _fill(self, f: dataclasses.Field) -> None:
        """Gives a field that was not named its task's default."""
        default = _default(f, self.task, self.sampling, self.recipe)
        if getattr(self, f.name) is None:
            object.__setattr__(self, f.name, default)
        elif default is None:
            other = next(task for task in TASKS if task != self.task)
            raise ValueError(f"{flag(f)} is of --task {other}; this is --task {self.task}")

    def _check_range(self, f: dataclasses.Field) -> None:
        value, meta = getattr(self, f.name), f.metadata
        if value is None:
            return
        # Lifting's data sets have poses of a few skeletons alone.
        choices = LIFT_SKELETONS if (self.task, f.name) == ("lift", "skeleton") else meta["choices"]
        if choices and value not in choices:
            raise ValueError(f"{flag(f)} wants {' or '.join(choices)}; got {value!r}")
        # "not >=" refuses NaN too.
        if meta["at_least"] is not None and not value >= meta["at_least"]:
            raise ValueError(f"{flag(f)} wants {meta['at_least']} or more; got {value}")
        if meta["below"] is not None and value >= meta["below"]:
            raise ValueError(f"{flag(f)} wants less than {meta['below']}; got {value}")

    def _check_lift(self) -> None:
        if not self.channels:
            raise ValueError("--channels wants 1 or more; got 0")
        if self.frames % 2 == 0:
            raise ValueError(f"--frames wants an odd number, such as 1, 9, 27 or 81; got {self.frames}")
        if self.joint_drop and not self.confidence:
            raise ValueError("--joint-drop wants --confidence, the channel that says which keypoints are missing")
        for name in ("joint_offset", "body_variety", "limb_mix", "limb_turn"):
            if getattr(self, name) and self.views != "random":
                raise ValueError(f"--{name.replace('_', '-')} moves joints in 3D and so wants --views random")
        if self.protocol == "pixel" and (self.views == "random" or self.keypoint_frame == "person"):
            raise ValueError(
                "--protocol pixel predicts the picture's own x and y: it wants --views file --keypoint-frame screen"
            )

    def _check_action(self) -> None:
        if len(self.dataset) != 1:
            raise ValueError(
                f"--task action wants one --dataset, for each has its own classes; got {len(self.dataset)}"
            )
        if self.sampling != "window" and (self.fps or self.rate_jitter):
            raise ValueError(f"--fps and --rate-jitter want --sampling window; this is --sampling {self.sampling}")
        if self.input == "keypoints" and self.normalization == "view":
            raise ValueError("--normalization view turns poses in space; keypoints want box, center or none")

    def replace(self, **changes) -> Config:
        """The same with other values; an unknown name raises TypeError.

        With another recipe or sampling, what had the old one's default gets the new one's.
        """
        before = {name: getattr(self, name) for name in ("sampling", "recipe")}
        if any(changes.get(name, value) != value for name, value in before.items()):
            for f in dataclasses.fields(self):
                default = f.metadata["defaults"][self.task]
                if isinstance(default, dict) and getattr(self, f.name) == _default(f, self.task, *before.values()):
                    changes.setdefault(f.name, None)
        return dataclasses.replace(self, **changes)

    def fine_tuning(self, start: str, **changes) -> Config:
        """The config of a run that goes on from the model of this one, `start`: cautious where nothing else is said.

        Raises:
            ValueError: Changes that do not fit, another task above all.
        """
        task = changes.get("task", self.task)
        if task != self.task:
            raise ValueError(f"--from {start} is a model of --task {self.task}; got --task {task}")
        cautious = {"learning_rate": self.learning_rate / 10, "epochs": max(1, self.epochs // 10)}
        if changes.get("prune"):
            cautious["ema"] = 0.0
        if changes.get("quantize_aware"):
            # Compiling the rounded graph takes minutes and gains nothing.
            cautious["xla"] = False
        return self.replace(**{"quantize_aware": False, "prune": 0.0} | cautious | changes | {"start": str(start)})

    def to_json(self) -> str:
        """One JSON object, a key for each field of the task."""
        values = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        return json.dumps(values, indent=2)

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


def build_model(config: Config, classes: tuple[str, ...] = ()):
    """The model that a config describes, with fresh weights.

    Args:
        config: Of a recogniser, what was "auto" is settled (`datasets.actions.load`).
        classes: Names of the recogniser's classes.

    Returns:
        PoseLifter or ActionRecognizer.
    """
    from skelgnn_tf.models import ActionRecognizer, PoseLifter

    skeleton = skeletons.get(config.skeleton)
    if config.task == "lift":
        names = (
            "frames channels short_hops max_hops squeeze dynamic temporal_kernel sharing dropout causal every_frame "
            "confidence keypoint_frame"
        ).split()
        values = {name: getattr(config, name) for name in names}
        model = PoseLifter(skeleton, blocks=config.blocks or None, **values)
        model.build((None, config.frames, skeleton.num_joints, model.input_channels))
        return model
    names = (
        "frames persons confidence normalization stream size short_hops max_hops squeeze dynamic temporal_kernel "
        "dropout rotation scaling shear joint_drop seed"
    ).split()
    values = {name: getattr(config, name) for name in names}
    dims = 3 if config.input == "pose" else 2
    model = ActionRecognizer(classes, skeleton, dims=dims, channels=config.channels or None, **values)
    model.build((None, config.persons, config.frames, skeleton.num_joints, model.input_channels))
    return model


def save_model(model, config: Config, path: Path) -> None:
    """Writes a `.keras` file that carries its Config, whole or not at all."""
    with atomic_write(path) as beside:
        model.save(beside)
        with zipfile.ZipFile(beside, "a") as archive:
            archive.writestr(_MEMBER, config.to_json())


def load_model(path: Path):
    """The model and the Config of a run folder or of a `.keras` file.

    Raises:
        FileNotFoundError: Nothing there, or a run folder without a finished epoch.
        ValueError: A file that skelgnn-tf did not write.
    """
    import keras

    import skelgnn_tf.metrics
    import skelgnn_tf.models  # noqa: F401  registers what the file names

    config, file = read_config(path), _model_file(path)
    try:
        return keras.saving.load_model(file, compile=False, safe_mode=True), config
    except (ValueError, TypeError, KeyError, OSError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        raise ValueError(f"{file} is damaged or of another version: {str(error).splitlines()[0]}") from error


def read_config(path: Path) -> Config:
    """The Config of a run folder or of a `.keras` file, without its model; errors as `load_model`."""
    file = _model_file(path)
    try:
        with zipfile.ZipFile(file) as archive:
            return Config.from_json(archive.read(_MEMBER).decode())
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{file} is no model of skelgnn-tf (expected a .keras file with {_MEMBER} in it)") from error
    except ValueError as error:
        raise ValueError(f"{file} is damaged or of another version: {error}") from error


def _model_file(path: Path) -> Path:
    path = Path(path)
    file = path / "model.keras" if path.is_dir() else path
    if not file.exists():
        what = (
            f"holds no model.keras: no epoch of its training was finished (skelgnn-tf train --resume --output {path})"
            if path.is_dir()
            else "does not exist"
        )
        raise FileNotFoundError(f"{path} {what}; expected a run folder, a .keras file or a preset (skelgnn-tf train)")
    return file
