"""What defines a run, as plain frozen values: `LiftConfig` for pose lifting, `ActionConfig` for action recognition."""

from skelgnn_tf.configs.action import ActionConfig
from skelgnn_tf.configs.base import TrainConfig
from skelgnn_tf.configs.files import CONFIGS, from_json, from_toml, make_config, to_toml
from skelgnn_tf.configs.lift import LiftConfig

__all__ = [
    "CONFIGS",
    "ActionConfig",
    "LiftConfig",
    "TrainConfig",
    "from_json",
    "from_toml",
    "make_config",
    "to_toml",
]
