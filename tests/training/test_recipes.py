"""The recipes: each is a run of the paper that this version can make, with the paper's figure next to it."""

import re

import pytest

from skelgnn_tf.configs import ActionConfig, LiftConfig, from_toml, make_config
from skelgnn_tf.datasets.catalog import CATALOG, tasks_of
from skelgnn_tf.models.build import build_model
from skelgnn_tf.training.recipes import load_recipes
from support.command_line import call

RECIPES = {recipe.file.stem: recipe for recipe in load_recipes()}
STREAMS = ("joint", "bone", "joint_motion", "bone_motion")


def config_of(name):
    """The config as `train --config` makes it: the data set decides the task."""
    values = from_toml(RECIPES[name].file.read_text(encoding="utf-8"))
    stated = values.pop("task", None)
    assert stated is None
    return make_config(tasks_of(values["dataset"][0])[0], values)


def figures(name):
    """The numbers in the paper's figure."""
    return [float(number) for number in re.findall(r"\d+\.\d", RECIPES[name].figure)]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_whole_config_of_a_known_data_set(name):
    recipe, config = RECIPES[name], config_of(name)
    assert len(config.dataset) == 1 and config.dataset[0] in CATALOG
    assert recipe.about and recipe.figure and "\n" not in recipe.about + recipe.figure
    # All takes are trained on, as in the paper, and the folder of the data is the user's.
    assert config.validation == 0 and config.data_dir == ()
    if config.task == "lift":
        assert name.startswith(("h36m_", "ablation_")) and f"{config.protocol} protocol" in recipe.about
        # The paper's protocol is the one of pixels; its figures are never next to the other one.
        assert bool(figures(name)) == (config.protocol == "pixel")
        recipe_of_the_paper = LiftConfig(dataset=("h36m",), validation=0.0, skeleton="h36m_17_lcn", loss="l1").to_dict()
        free = {
            "keypoints", "protocol", "frames", "channels", "short_hops", "max_hops", "squeeze", "dynamic",
            "temporal_kernel",
        }  # fmt: skip
    else:
        assert name == f"{config.dataset[0].replace('-', '_')}_{config.stream}" and "top-1" in recipe.figure
        recipe_of_the_paper = ActionConfig(
            dataset=config.dataset, recipe="paper", sampling="repeat", frames=300, persons=2, input="pose",
            skeleton="ntu_25", rotation=0.0, scaling=0.0,
        ).to_dict()  # fmt: skip
        free = {"stream"}
    differ = {key for key, value in config.to_dict().items() if value != recipe_of_the_paper[key]}
    assert differ <= free


def test_every_row_of_the_papers_tables_that_can_be_trained_has_its_figures():
    ablations = {}
    for name in RECIPES:
        if name.startswith("ablation_"):
            c = config_of(name)
            assert (c.protocol, c.keypoints, c.frames) == ("pixel", "gt", 1)
            ablations[name] = (c.squeeze, c.short_hops, c.max_hops, c.dynamic, c.temporal_kernel, c.channels)
    of = {name: figures(name)[0] for name in ablations}
    squeeze = {ablations[name][0]: of[name] for name in of if name.startswith("ablation_d_")}
    assert squeeze == {1.0: 35.4, 0.5: 34.7, 0.25: 33.8, 0.125: 31.4, 0.0625: 32.6}
    hops = {ablations[name][1:3]: of[name] for name in of if name.startswith("ablation_s")}
    assert hops == {
        **dict(zip([(1, n) for n in range(2, 7)], (32.6, 33.4, 34.0, 34.7, 35.7), strict=True)),
        **dict(zip([(0, n) for n in range(1, 7)], (35.5, 34.6, 34.8, 34.7, 35.4, 36.1), strict=True)),
        **dict(zip([(2, n) for n in range(3, 7)], (34.9, 35.1, 35.6, 36.2), strict=True)),
    }
    lcn = {ablations[name][1:3]: of[name] for name in of if "_lcn_" in name}
    assert lcn == dict(zip([(n, n) for n in range(1, 7)], (38.0, 35.7, 36.2, 37.7, 37.4, 39.9), strict=True))
    kernel = {ablations[name][4]: of[name] for name in of if name.startswith("ablation_f_")}
    assert kernel == {1: 30.8, 3: 30.4, 5: 30.6, 7: 30.7}
    graph = {ablations[name][3]: figures(name) for name in of if name.startswith("ablation_graph_")}
    assert graph == {False: [30.8, 25.2], True: [30.4, 24.8]}
    assert len(ablations) == 5 + 15 + 6 + 4 + 2
    # The same model has the same figure wherever it stands.
    best = {values: of[name] for name, values in ablations.items()}
    assert all(of[name] == best[values] for name, values in ablations.items())
    # All others are of the best setting, C = 128, d = 1/8, or of half its width.
    wide = {name for name, values in ablations.items() if values[-1] == 128}
    assert wide == {name for name in ablations if name.startswith(("ablation_f_", "ablation_graph_"))}
    assert {values[-1] for values in ablations.values()} == {64, 128}


def test_human36m_has_both_protocols_of_detected_and_true_keypoints():
    found = {
        (c.keypoints, c.frames, c.dynamic, c.protocol): figures(name)
        for name, c in ((name, config_of(name)) for name in RECIPES if name.startswith("h36m_"))
    }
    cpn = "cpn_ft_h36m_dbb"
    assert found == {
        (cpn, 1, True, "camera"): [], (cpn, 1, True, "pixel"): [47.9, 39.0], (cpn, 1, False, "pixel"): [48.4, 39.7],
        (cpn, 9, True, "camera"): [], (cpn, 9, True, "pixel"): [45.7],
        ("gt", 1, True, "camera"): [], ("gt", 1, True, "pixel"): [30.4, 24.8],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("dataset", "top1"),
    [
        ("ntu60-xsub", (89.0, 89.3, 86.9, 86.9)),
        ("ntu60-xview", (95.3, 94.9, 93.5, 93.1)),
        ("ntu120-xsub", (83.5, 85.0, 80.1, 80.6)),
        ("ntu120-xset", (85.7, 86.6, 81.5, 83.0)),
    ],
)
def test_each_benchmark_of_ntu_has_four_streams(dataset, top1):
    found = {c.stream: figures(n) for n, c in ((n, config_of(n)) for n in RECIPES) if c.dataset == (dataset,)}
    assert found == {stream: [value] for stream, value in zip(STREAMS, top1, strict=True)}


@pytest.mark.parametrize(
    "name", ["h36m_gt_1f_pixel", "h36m_cpn_9f", "ablation_lcn_l6", "ablation_s0_l1", "ablation_d_1", "ntu60_xsub_bone"]
)
def test_the_model_of_a_recipe_can_be_made(name):
    config = config_of(name)
    if config.task == "lift":
        model = build_model(config)
    else:
        # What the data decide.
        config = config.replace(confidence=False, normalization="center")
        model = build_model(config, tuple(f"action {i}" for i in range(60)))
    assert model.built and model.frames == config.frames and model.count_params() > 100_000


def test_recipes_are_listed_with_what_they_are_and_the_papers_figure():
    result = call("recipes")
    assert result.exit_code == 0, result.output
    for recipe in RECIPES.values():
        (row,) = [line for line in result.stdout.splitlines() if f"{recipe.file.name} " in line]
        assert recipe.figure.split()[0] in row and recipe.about.split(",")[0] in row
    # The ablations come last.
    names = list(RECIPES)
    first = next(i for i, name in enumerate(names) if name.startswith("ablation"))
    assert all(name.startswith("ablation") for name in names[first:]) and first == 7 + 16


def test_a_recipe_that_does_not_say_what_it_is_is_refused(tmp_path):
    for text in ("", "# What: mine\n", "frames = 9\n", "# Paper: 1 mm\n# What: mine\n"):
        (tmp_path / "mine.toml").write_text(text)
        with pytest.raises(ValueError, match="mine.toml: the first two lines must begin with"):
            load_recipes(tmp_path)
    (tmp_path / "mine.toml").write_text("# What: mine\n# Paper: 1.0 mm\nframes = 9\n")
    assert [(r.about, r.figure) for r in load_recipes(tmp_path)] == [("mine", "1.0 mm")]
