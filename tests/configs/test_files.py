"""Configs as text: config.json of a run, whatever version wrote it, and the TOML files of `train --config`."""

import json

import pytest

from skelgnn_tf.configs import CONFIGS, ActionConfig, LiftConfig, from_json, from_toml, make_config, to_toml
from skelgnn_tf.configs.base import FORMAT
from support.command_line import call, mistake
from support.config_fields import FIELDS, OF_TASK, changed, field_id

ODD = 'ümlaut "quoted" \\ # no comment\n[table]'


def toml_again(text):
    values = from_toml(text)
    task = values.pop("task")
    return make_config(task, values)


# ---- JSON


@pytest.mark.parametrize(("task", "field"), OF_TASK, ids=field_id)
def test_every_field_survives_json_and_toml(task, field):
    config = changed(task, field)
    for again in (from_json(config.to_json()), toml_again(to_toml(config))):
        assert again == config and type(again) is CONFIGS[task]
        assert type(getattr(again, field.name)) is type(getattr(config, field.name))


@pytest.mark.parametrize("task", CONFIGS)
def test_the_json_names_its_format_its_task_and_the_fields_of_that_task_only(task):
    values = json.loads(CONFIGS[task]().to_json())
    assert set(values) == {"format", "task", *FIELDS[task]}
    assert (values["format"], values["task"]) == (FORMAT, task)


def test_a_config_of_before_there_were_formats_and_tasks_is_one_of_lifting():
    values = json.loads(LiftConfig(frames=9, channels=64).to_json())
    del values["format"]
    assert from_json(json.dumps(values)) == LiftConfig(frames=9, channels=64)
    assert values.pop("task") == "lift"
    assert from_json(json.dumps(values)) == LiftConfig(frames=9, channels=64)
    assert from_json(json.dumps(values | {"format": 1})) == LiftConfig(frames=9, channels=64)
    assert from_json("{}") == LiftConfig()


def test_a_config_of_a_newer_version_names_what_is_unknown():
    values = json.loads(LiftConfig().to_json()) | {"warp": 9, "zoom": 1}
    with pytest.raises(ValueError, match="unknown fields: warp, zoom. .* newer version of skelgnn-tf"):
        from_json(json.dumps(values))
    for newer in (FORMAT + 1, "2", None, 0):
        with pytest.raises(ValueError, match=f"format {newer!r}.*Update skelgnn-tf"):
            from_json(json.dumps({"format": newer}))


def test_a_config_of_an_older_version_gets_the_defaults_of_what_it_lacks():
    values = json.loads(LiftConfig(frames=9).to_json())
    del values["fps"]
    assert from_json(json.dumps(values)) == LiftConfig(frames=9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "must be a JSON object. Received: list."),
        ("3", "must be a JSON object. Received: int."),
        ("{", "line 1"),
        ('{"task": "sing"}', "task must be one of lift, action. Received: 'sing'."),
        ('{"task": ["lift"]}', "task must be one of lift, action."),
        ('{"frames": "nine"}', "--frames must be an integer. Received: 'nine'."),
        ('{"frames": 9.0}', "--frames must be an integer. Received: 9.0."),
        ('{"flip": 1}', "--flip must be true or false. Received: 1."),
        ('{"learning_rate": null}', "--learning-rate must be a number. Received: None."),
        ('{"stream": "bone"}', "--stream is only valid for action recognition. This is pose lifting."),
        ('{"task": "action", "views": "file"}', "--views is only valid for pose lifting. This is action recognition."),
    ],
)
def test_json_that_is_no_config_is_refused_in_one_line(text, message):
    with pytest.raises(ValueError, match=message) as refused:
        from_json(text)
    assert "\n" not in str(refused.value)


# ---- TOML


@pytest.mark.parametrize("task", CONFIGS)
def test_the_toml_of_a_config_has_every_field_with_its_help_and_reads_back(task):
    config = CONFIGS[task](dataset=("h36m",), data_dir=("a b", ODD), seed=7)
    text = to_toml(config)
    assert toml_again(text) == config
    for name, field in FIELDS[task].items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"{name} = ")]
        assert line.endswith(f"# {field.metadata['help']}"), line
    # Another reader, of Python 3.11 and later, finds the same.
    tomllib = pytest.importorskip("tomllib")
    read = tomllib.loads(text)
    assert read.pop("task") == task
    assert read == json.loads(json.dumps(config.to_dict()))


def test_a_toml_file_need_not_set_everything_nor_its_task():
    values = from_toml('# mine\nstream = "bone"\ndataset = ["npz"]\nweight_decay = 0\n')
    assert values == {"stream": "bone", "dataset": ["npz"], "weight_decay": 0}
    assert make_config("action", values) == ActionConfig(stream="bone", dataset=("npz",), weight_decay=0.0)
    assert from_toml("") == {}
    assert from_toml('task = "action"') == {"task": "action"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[model]\nchannels = 64\n", r"mine.toml: \[model\] must be a field with a value, not a table"),
        ("model.channels = 64\n", r"mine.toml: \[model\] must be a field with a value, not a table"),
        ("model = {channels = 64}\n", r"mine.toml: \[model\] must be a field with a value, not a table"),
        ("channels = \n", "mine.toml: must be TOML .* Received: .*line 1"),
        ("channels 64\n", "mine.toml: must be TOML .* Received: .*line 1"),
        ("channels = 64\nchannels = 32\n", "mine.toml: must be TOML .* Received: .*channels"),
    ],
)
def test_what_is_no_list_of_settings_is_refused_by_the_name_of_its_file(text, message, here):
    with pytest.raises(ValueError, match=message) as refused:
        from_toml(text, "mine.toml")
    assert "\n" not in str(refused.value)
    (here / "mine.toml").write_text(text)
    assert mistake("train", "--config", "mine.toml") == str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs = 'nine'", "--epochs must be an integer. Received: 'nine'."),
        ("epochs = 9.0", "--epochs must be an integer. Received: 9.0."),
        ("epochs = true", "--epochs must be an integer. Received: True."),
        ("flip = 'yes'", "--flip must be true or false. Received: 'yes'."),
        ("dataset = [1]", "--dataset must be a list of strings. Received: [1]."),
        ("dataset = 3", "--dataset must be a list of strings. Received: 3."),
        ("dataset = [['h36m']]", "--dataset must be a list of strings. Received: [['h36m']]."),
        ("dataset = ['h63m']", "dataset must be one of fitness, h36m, "),
        ("seed = 1979-05-27", "--seed must be an integer. Received: datetime.date(1979, 5, 27)."),
        ("noise = nan", "--noise must be at least 0. Received: nan."),
        ("chanels = 64", "the config has unknown fields: chanels."),
        ("views = 'random'\ndataset = ['ntu60-xsub']", "--views is only valid for pose lifting."),
        ("task = 'sing'", "task must be one of lift, action. Received: 'sing'."),
        ("task = ['lift']", "task must be one of lift, action. Received: ['lift']."),
    ],
)
def test_a_setting_of_another_type_or_task_costs_one_line_that_names_the_file(text, message, here):
    (here / "mine.toml").write_text(text)
    assert mistake("train", "--config", "mine.toml").startswith(f"mine.toml: {message}")
    # Said on the command line as well, it is still a mistake in the file.
    assert mistake("train", "--config", "mine.toml", "--epochs", 3).startswith("mine.toml: ")


def test_a_file_that_is_not_there_or_no_text_costs_one_line(here):
    (here / "folder").mkdir()
    (here / "bytes.toml").write_bytes(b"\xff\xfe")
    for name in ("nothing.toml", "folder", "bytes.toml"):
        assert mistake("train", "--config", name).startswith(f"{name} must be a")


def test_options_override_the_file_and_the_printed_config_reads_back(here):
    (here / "mine.toml").write_text('dataset = ["ntu60-xsub"]\nstream = "bone"\nepochs = 7\n')
    printed = call("train", "--config", "mine.toml", "--epochs", 3, "--data-dir", "d", "--print-config")
    assert printed.exit_code == 0, printed.output
    config = ActionConfig(dataset=("ntu60-xsub",), stream="bone", epochs=3, data_dir=("d",))
    assert toml_again(printed.stdout) == config
    (here / "again.toml").write_text(printed.stdout)
    again = call("train", "--config", "again.toml", "--print-config")
    assert again.stdout == printed.stdout
