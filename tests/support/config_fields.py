"""Every field of both configs, each with a value other than its default."""

import dataclasses

from skelgnn_tf.configs import CONFIGS

TASKS = tuple(CONFIGS)
FIELDS = {task: {field.name: field for field in dataclasses.fields(cls)} for task, cls in CONFIGS.items()}
OF_TASK = [(task, field) for task in TASKS for field in FIELDS[task].values()]
#: Settings that another one requires.
NEEDS = {
    ("lift", "short_hops"): {"max_hops": 9},
    ("lift", "joint_drop"): {"confidence": True},
    ("lift", "joint_offset"): {"views": "random"},
    ("lift", "body_variety"): {"views": "random"},
    ("lift", "limb_mix"): {"views": "random"},
    ("lift", "limb_turn"): {"views": "random"},
    ("lift", "quantize_aware"): {"start": "runs/a"},
    ("action", "quantize_aware"): {"start": "runs/a"},
    ("action", "prune"): {"ema": 0.0},
}


def field_id(value):
    return getattr(value, "name", value)


def another_value(task, field):
    """A value that is not the default, of the field's own type."""
    default = getattr(CONFIGS[task](), field.name)
    if field.metadata["choices"]:
        return next(choice for choice in field.metadata["choices"] if choice != default)
    if isinstance(default, bool):
        return not default
    if isinstance(default, tuple):
        return ("h36m", "fitness") if task == "lift" else ("npz",)
    if isinstance(default, str):
        return "some_file.npz"
    if isinstance(default, float):
        return default / 2 or 0.25
    # Two more, for the frames of a lifter are odd.
    return default + 2


def changed(task, field):
    """A config in which one field, and what it requires, is not the default."""
    return CONFIGS[task](**NEEDS.get((task, field.name), {}) | {field.name: another_value(task, field)})
