"""ActionConfig: everything that defines a run of action recognition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from skelgnn_tf.configs.base import AUGMENTATION, DATA, MODEL, OPTIMIZATION, TrainConfig, option, option_by
from skelgnn_tf.skeletons import ALL

#: Training recipes.
RECIPES = ("modern", "paper")

#: Fields that are arguments of `ActionRecognizer`.
_MODEL_ARGUMENTS = (
    "frames persons confidence normalization stream size short_hops max_hops squeeze dynamic temporal_kernel dropout "
    "rotation scaling shear joint_drop seed"
).split()


@dataclass(frozen=True)
class ActionConfig(TrainConfig):
    """Data, model and training of an action recognizer: skeleton sequences to classes.

    Every field is an option of `skelgnn-tf train`, whose help describes it.

    Raises:
        ValueError: A value of another type than its field, out of range, or not among the choices; names the option.

    Source: Zeng et al., ICCV 2021, section 4.3; see docs/method.md.

    Example:
        >>> ActionConfig().frames, ActionConfig(recipe="paper").batch_size
        (64, 64)
    """

    task: ClassVar[str] = "action"
    task_name: ClassVar[str] = "action recognition"

    # Data
    data_file: str = option("", "npz or pickle that is the data set, or the one to read in --data-dir.", DATA)
    labels: str = option("", "npz, pyskl: text file with the class names, one per line.", DATA)
    skip_bad: bool = option(False, "Skip bad clips, list them and count them in the report.", DATA)
    input: str = option(
        "auto",
        "pose: 3D. keypoints: 2D of a detector. auto: pose where the files have it, keypoints for fitness.",
        DATA,
        choices=("auto", "pose", "keypoints"),
    )
    fitness_clips: int = option(1300, "fitness: number of training clips to generate.", DATA, at_least=1)
    fitness_scenes: str = option(
        "phone",
        "fitness: what to generate. studio: whole bodies, 13 classes. phone: also cut and hidden bodies, variants, and "
        "a class for everything else.",
        DATA,
        choices=("studio", "phone"),
    )
    other_motion: str = option(
        "",
        "fitness: folder with data_3d_h36m.npz, recorded motion for the class of everything else.",
        DATA,
    )
    sampling: str = option(
        "window",
        "How a clip becomes T frames. window: at --fps from anywhere, as in live use. repeat: restarted until T frames "
        "are full. resize: a random crop, interpolated.",
        DATA,
        choices=("window", "repeat", "resize"),
    )
    fps: float = option_by(
        "sampling",
        {"window": 15.0, "repeat": 0.0, "resize": 0.0},
        "Resample windows to this frame rate. 0 keeps the rate of each clip.",
        DATA,
        at_least=0,
    )
    validation: float = option(
        0.0,
        "Share of the training takes held out to choose the best epoch. 0 keeps the last epoch.",
        DATA,
        at_least=0,
        below=1,
    )
    # Model
    skeleton: str = option("auto", "Joints and graph. auto: those of the data set.", MODEL, choices=("auto", *ALL))
    frames: int = option(64, "Window length T.", MODEL, at_least=1)
    persons: int = option(0, "1 or 2. 0: as many as the data have.", MODEL, at_least=0, below=3)
    size: str = option("paper", "paper: nine blocks. small: six blocks, for phones.", MODEL, choices=("paper", "small"))
    channels: int = option(0, "Width of the first blocks. 0: the width of the size.", MODEL, at_least=0)
    short_hops: int = option(5, "Short range S: hops at full width.", MODEL, at_least=0)
    max_hops: int = option(7, "Long range L: furthest hop.", MODEL, at_least=0)
    dropout: float = option(0.0, "Share of features dropped before the last layer.", MODEL, at_least=0, below=1)
    confidence: bool = option(True, "Use the keypoints' confidence as an input channel where the data have it.", MODEL)
    normalization: str = option(
        "auto",
        "center: the trunk of the first frame is the origin. view: and the person stands upright, facing the camera. "
        "box: relative to the persons' boxes. auto: center for poses, box for keypoints.",
        MODEL,
        choices=("auto", "none", "center", "view", "box"),
    )
    stream: str = option(
        "joint",
        "Input of the first block.",
        MODEL,
        choices=("joint", "bone", "joint_motion", "bone_motion"),
    )
    # Augmentation
    flip: bool = option(
        False,
        "Mirror half of the windows in training; a class that names a side becomes its counterpart.",
        AUGMENTATION,
    )
    frame_drop: float = option(
        0.0, "Share of frames replaced by the previous frame.", AUGMENTATION, at_least=0, below=1
    )
    rotation: float = option(17.0, "Largest rotation of a clip about each axis, in degrees.", AUGMENTATION, at_least=0)
    scaling: float = option(0.1, "Largest change of scale along each axis.", AUGMENTATION, at_least=0, below=1)
    shear: float = option(0.0, "Largest shear.", AUGMENTATION, at_least=0)
    # Optimization
    recipe: str = option(
        "modern",
        "modern: AdamW with a cosine schedule. paper: SGD with momentum, divided by 10 at 35/60 and 45/60 of the "
        "epochs.",
        OPTIMIZATION,
        choices=RECIPES,
    )
    epochs: int = option(60, "Passes over the training windows.", OPTIMIZATION, at_least=1)
    batch_size: int = option_by("recipe", {"modern": 16, "paper": 64}, "Windows per step.", OPTIMIZATION, at_least=1)
    learning_rate: float = option_by(
        "recipe", {"modern": 2e-3, "paper": 0.1}, "Initial or peak learning rate.", OPTIMIZATION, at_least=0
    )
    weight_decay: float = option_by(
        "recipe", {"modern": 0.05, "paper": 5e-4}, "Weight decay of AdamW, or L2 of SGD.", OPTIMIZATION, at_least=0
    )
    label_smoothing: float = option_by(
        "recipe",
        {"modern": 0.1, "paper": 0.0},
        "Share of the target spread over all classes.",
        OPTIMIZATION,
        at_least=0,
        below=1,
    )
    class_weights: bool = option(False, "Weight all classes equally, however many clips they have.", OPTIMIZATION)
    ema: float = option_by(
        "recipe",
        {"modern": 0.99, "paper": 0.0},
        "Momentum of the average of the weights, e.g. 0.999. 0 disables it. Action recognition averages over at most "
        "5 % of the steps.",
        OPTIMIZATION,
        at_least=0,
        below=1,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.dataset) != 1:
            raise ValueError(
                "--dataset must name one data set for action recognition. Received: "
                f"{', '.join(self.dataset) or 'none'}. "
                "Each data set has its own classes."
            )
        if self.sampling != "window" and (self.fps or self.rate_jitter):
            raise ValueError(
                f"--fps and --rate-jitter must be used with --sampling window. Received: --sampling {self.sampling}."
            )
        if self.input == "keypoints" and self.normalization == "view":
            raise ValueError(
                "--normalization must be box, center or none for keypoints. Received: view. It rotates 3D poses."
            )

    def model_arguments(self) -> dict[str, Any]:
        """Arguments of `ActionRecognizer`, other than the skeleton and the classes."""
        own = {"dims": 3 if self.input == "pose" else 2, "channels": self.channels or None}
        return own | {name: getattr(self, name) for name in _MODEL_ARGUMENTS}
