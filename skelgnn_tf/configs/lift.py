"""LiftConfig: everything that defines a run of pose lifting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from skelgnn_tf.configs.base import AUGMENTATION, DATA, MODEL, OPTIMIZATION, TrainConfig, option

#: Skeletons that the joints of the lifting data sets can be mapped to.
SKELETONS = ("h36m_17", "h36m_17_lcn", "mpi_inf_3dhp_17")

#: Fields that are arguments of `PoseLifter`.
_MODEL_ARGUMENTS = (
    "frames channels short_hops max_hops squeeze dynamic temporal_kernel sharing dropout causal every_frame confidence "
    "keypoint_frame"
).split()


@dataclass(frozen=True)
class LiftConfig(TrainConfig):
    """Data, model and training of a pose lifter: 2D keypoints to 3D poses. The defaults are the paper's.

    Every field is an option of `skelgnn-tf train`, whose help describes it.

    Raises:
        ValueError: A value of another type than its field, out of range, or not among the choices; names the option.

    Source: Zeng et al., ICCV 2021, section 4.1; see docs/method.md.

    Example:
        >>> LiftConfig(frames=9, channels=64).replace(epochs=10).epochs
        10
    """

    task: ClassVar[str] = "lift"
    task_name: ClassVar[str] = "pose lifting"

    # Data
    keypoints: str = option("gt", "h36m: which data_2d_h36m_<name>.npz to read (gt, cpn_ft_h36m_dbb, ...).", DATA)
    protocol: str = option(
        "camera",
        "camera: meters in camera space. pixel: image x, y and a depth scaled like pixels.",
        DATA,
        choices=("camera", "pixel"),
    )
    fitness_clips: int = option(250, "fitness: number of training clips to generate.", DATA, at_least=1)
    views: str = option(
        "file",
        "file: the views of the data set. random: cameras drawn anew in each epoch.",
        DATA,
        choices=("file", "random"),
    )
    fps: float = option(0.0, "Resample windows to this frame rate. 0 keeps the rate of each clip.", DATA, at_least=0)
    stride: int = option(1, "Train on every N-th window.", DATA, at_least=1)
    limit_train: int = option(0, "Train on at most this many frames. 0 uses all.", DATA, at_least=0)
    validation: float = option(
        0.05,
        "Share of the training takes held out to choose the best epoch. 0 keeps the last epoch.",
        DATA,
        at_least=0,
        below=1,
    )
    # Model
    skeleton: str = option(
        "h36m_17", "Joints and graph. h36m_17_lcn has the extra edges of LCN.", MODEL, choices=SKELETONS
    )
    frames: int = option(1, "Window length T. Must be odd (1, 9, 27, 81).", MODEL, at_least=1)
    channels: int = option(128, "Width C.", MODEL, at_least=1)
    blocks: int = option(0, "Residual blocks. 0: 2 up to 9 frames, 3 for 27, 4 for 81.", MODEL, at_least=0)
    short_hops: int = option(1, "Short range S: hops at full width.", MODEL, at_least=0)
    max_hops: int = option(2, "Long range L: furthest hop.", MODEL, at_least=0)
    sharing: str = option("pair", "Weights per joint pair (LCN) or shared (GCN).", MODEL, choices=("pair", "shared"))
    dropout: float = option(0.25, "Share of channels dropped in training.", MODEL, at_least=0, below=1)
    causal: bool = option(False, "Use no future frames, for live use.", MODEL)
    every_frame: bool = option(False, "Predict a pose for each frame of the window instead of one.", MODEL)
    confidence: bool = option(
        False, "Add the keypoints' confidence as an input channel; 0 marks a missing keypoint.", MODEL
    )
    keypoint_frame: str = option(
        "screen",
        "screen: scaled as in VideoPose3D. person: relative to the person's own box, for phones.",
        MODEL,
        choices=("screen", "person"),
    )
    # Augmentation
    flip: bool = option(
        True, "Mirror half of the windows in training and average with the mirrored input at test.", AUGMENTATION
    )
    noise: float = option(0.0, "Keypoint noise, as a share of the person's box.", AUGMENTATION, at_least=0)
    joint_offset: float = option(
        0.0,
        "Standard deviation of per-joint annotation offsets, in meters. Requires --views random.",
        AUGMENTATION,
        at_least=0,
    )
    body_variety: float = option(
        0.0,
        "Standard deviation of the logarithm of bone lengths. Requires --views random.",
        AUGMENTATION,
        at_least=0,
    )
    limb_mix: float = option(
        0.0,
        "Probability that a limb takes its motion from another clip. Requires --views random.",
        AUGMENTATION,
        at_least=0,
        below=1,
    )
    limb_turn: float = option(
        0.0,
        "Standard deviation of limb rotations in degrees; heads also nod. Requires --views random.",
        AUGMENTATION,
        at_least=0,
    )
    side_swap: float = option(
        0.0,
        "Probability that left and right are swapped in part of a window.",
        AUGMENTATION,
        at_least=0,
        below=1,
    )
    # Optimization
    epochs: int = option(80, "Passes over the training windows.", OPTIMIZATION, at_least=1)
    batch_size: int = option(256, "Windows per step.", OPTIMIZATION, at_least=1)
    loss: str = option(
        "mpjpe",
        "mpjpe: mean distance of the joints. l1: mean absolute error of their coordinates, as in the paper.",
        OPTIMIZATION,
        choices=("mpjpe", "l1"),
    )
    learning_rate: float = option(1e-3, "Initial or peak learning rate.", OPTIMIZATION, at_least=0)
    decay: float = option(0.95, "Factor of the learning rate after each epoch.", OPTIMIZATION, at_least=0)
    ema: float = option(
        0.0, "Momentum of the average of the weights, e.g. 0.999. 0 disables it.", OPTIMIZATION, at_least=0, below=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.frames % 2 == 0:
            raise ValueError(f"--frames must be odd (1, 9, 27, 81). Received: {self.frames}.")
        if self.joint_drop and not self.confidence:
            raise ValueError("--joint-drop must be used with --confidence, which marks the missing keypoints.")
        for name in ("joint_offset", "body_variety", "limb_mix", "limb_turn"):
            if getattr(self, name) and self.views != "random":
                raise ValueError(f"--{name.replace('_', '-')} must be used with --views random. It moves joints in 3D.")
        if self.protocol == "pixel" and (self.views == "random" or self.keypoint_frame == "person"):
            raise ValueError(
                "--protocol pixel must be used with --views file and --keypoint-frame screen. It predicts x and y of "
                "the picture itself."
            )

    def model_arguments(self) -> dict[str, Any]:
        """Arguments of `PoseLifter`, other than the skeleton."""
        return {"blocks": self.blocks or None} | {name: getattr(self, name) for name in _MODEL_ARGUMENTS}
