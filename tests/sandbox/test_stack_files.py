"""Stack files as Pulumi's engine reads them."""

import json

import pytest

from sandbox import goyaml, stack
from sandbox.errors import Mistake


@pytest.fixture
def project(tmp_path):
    """Writes a project's files and loads a stack of it."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")

    def load(text=None, *overrides, name="dev", **more):
        if text is not None:
            (tmp_path / f"Pulumi.{name}.yaml").write_text(text)
        return stack.load(tmp_path, name, overrides, **more)

    load.root = tmp_path
    return load


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("TRUE", True),
        ("tRUE", "tRUE"),
        ("~", None),
        ("Null", None),
        ("0o17", 15),
        ("0777", 511),
        ("08", 8.0),
        ("0x1F", 31),
        ("-0b11", -3),
        ("1_000", 1000),
        ("12:30", "12:30"),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("+", "+"),
        ("1.2.3", "1.2.3"),
        ("2026-01-01", "2026-01-01 00:00:00 +0000 UTC"),
        ("2026-1-2 3:04:05.50", "2026-01-02 03:04:05.5 +0000 UTC"),
        ("2026-01-01T10:00:00Z", "2026-01-01 10:00:00 +0000 UTC"),
        ("2026-01-01T10:00:00+02:00", "2026-01-01 10:00:00 +0200 +0200"),
        ("2026-01-01T10:00:00", "2026-01-01T10:00:00"),
        ("2026-13-01", "2026-13-01"),
        ('"0o17"', "0o17"),
        ("!!str 12", "12"),
    ],
)
def test_a_scalar_means_what_go_reads(written, meant):
    found = goyaml.load(f"a: {written}\n", "x.yaml")["a"]
    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1000.0, "1000"),
        (999999.5, "999999.5"),
        (1000000.0, "1e+06"),
        (1234567.0, "1.234567e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-2.5, "-2.5"),
        (True, "true"),
        (None, ""),
        (15, "15"),
    ],
)
def test_a_scalar_reaches_the_program_as_go_prints_it(number, text):
    assert goyaml.text(number) == text


def test_a_merge_key_lays_the_own_keys_over_the_shared_ones():
    text = "base: &b {a: 1, b: 2}\nmade: {<<: *b, b: 3}\n"
    assert goyaml.load(text, "x.yaml")["made"] == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("config:\n  a: 1\n  a: 2\n", "x.yaml:3: mapping key 'a' already defined at line 2"),
        ("config: [1\n", "x.yaml:2: did not find expected ',' or ']'"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2: but found another document"),
        ("a:\n\tb: 1\n", "x.yaml:2: found character that cannot start any token"),
        ("a: *nobody\n", "x.yaml:1: found undefined alias"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(text, line):
    with pytest.raises(Mistake) as mistake:
        goyaml.load(text, "x.yaml")
    assert str(mistake.value).startswith(line)


def test_values_reach_the_program_as_text_and_objects_as_json(project):
    made = project(
        "config:\n  shop:count: 0o17\n  shop:rate: 1000.0\n  shop:on: yes\n"
        "  shop:tree: {rate: 1000.0, day: 2026-01-01, list: [1, yes]}\n  aws:region: eu-west-1\n"
    )
    assert made.config["shop:count"] == "15"
    assert made.config["shop:rate"] == "1000"
    assert made.config["shop:on"] == "yes"
    assert json.loads(made.config["shop:tree"]) == {
        "rate": 1000,
        "day": "2026-01-01 00:00:00 +0000 UTC",
        "list": [1, "yes"],
    }
    assert ".0" not in made.config["shop:tree"]
    assert made.region == "eu-west-1"


def test_the_region_defaults_to_us_west_2(project):
    assert project("config: {}\n").region == "us-west-2"


def test_a_stacks_object_replaces_the_projects_default_whole(project):
    (project.root / "Pulumi.yaml").write_text(
        "name: shop\nruntime: python\nconfig:\n"
        "  tree: {type: object, default: {a: 1, b: 2}}\n  aws:region: {value: eu-north-1}\n  size: 3\n"
    )
    made = project("config:\n  shop:tree: {a: 5}\n")
    assert json.loads(made.config["shop:tree"]) == {"a": 5}
    assert made.config["shop:size"] == "3"
    assert made.region == "eu-north-1"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("confg: {}\n", "Pulumi.dev.yaml: confg: no such key; did you mean 'config'?"),
        ("colour: 1\n", "Pulumi.dev.yaml: colour: no such key"),
        (
            "shop:functions: {}\n",
            "Pulumi.dev.yaml: shop:functions: no such key; it belongs below config:",
        ),
        (
            "config:\n  size: 1\n",
            "Pulumi.dev.yaml: config.size: needs a namespace; did you mean 'shop:size'?",
        ),
        ("config: 3\n", "Pulumi.dev.yaml: config: must be a mapping of keys to values"),
        ("- 1\n", "Pulumi.dev.yaml: must be a mapping of keys to values"),
        (
            "config:\n  shop:key: {secure: AAA}\n",
            (
                "Pulumi.dev.yaml: config.shop:key: a 'secure' value cannot be decrypted here; "
                "give a plain one for the sandbox: -c shop:key=VALUE"
            ),
        ),
        (
            "config:\n  shop:tree: {a: [{b: {secure: AAA}}]}\n",
            (
                "Pulumi.dev.yaml: config.shop:tree.a.0.b: a 'secure' value cannot be decrypted here; "
                "give a plain one for the sandbox: -c shop:tree.a.0.b=VALUE"
            ),
        ),
    ],
)
def test_a_mistake_is_one_line_with_file_and_key(project, text, line):
    with pytest.raises(Mistake) as mistake:
        project(text)
    assert str(mistake.value) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("runtime: python\n", "Pulumi.yaml: name: is missing"),
        (
            "name: shop\nconfig:\n  tree: {a: 1}\n",
            "Pulumi.yaml: config.tree: a map needs 'value:', or 'type: object' with 'default:'",
        ),
        (
            "name: shop\nconfig:\n  size: {type: integer}\n",
            "Pulumi.dev.yaml: config.shop:size: is missing, and Pulumi.yaml gives no default",
        ),
    ],
)
def test_a_mistake_in_the_project_file_is_named(project, text, line):
    (project.root / "Pulumi.yaml").write_text(text)
    with pytest.raises(Mistake) as mistake:
        project("config: {}\n")
    assert str(mistake.value) == line


def test_what_stack_init_appends_is_allowed(project):
    assert project("encryptionsalt: v1:abc\nconfig:\n  shop:a: 1\n").config["shop:a"] == "1"


def test_an_encrypted_value_may_be_overridden(project):
    assert (
        project("config:\n  shop:key: {secure: AAA}\n", "key=plain").config["shop:key"] == "plain"
    )


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("size=512", "shop:size", "512"),
        ("shop:size=1.10", "shop:size", "1.10"),
        ("aws:region=eu-west-1", "aws:region", "eu-west-1"),
        ("text=a=b", "shop:text", "a=b"),
        ("empty=", "shop:empty", ""),
        ("tree.x.y=5", "shop:tree", '{"a": 1, "x": {"b": true, "y": 5}}'),
        ("tree.x.b=no", "shop:tree", '{"a": 1, "x": {"b": "no"}}'),
        ('tree={"z": [1]}', "shop:tree", '{"z": [1]}'),
    ],
)
def test_an_override_sets_a_key_or_one_leaf_of_an_object(project, override, key, value):
    made = project("config:\n  shop:tree: {a: 1, x: {b: true}}\n", override)
    assert made.config[key] == value


@pytest.mark.parametrize("override", ["size", "=1", "shop:=1"])
def test_an_override_without_key_and_value_is_refused(project, override):
    with pytest.raises(Mistake, match="must be key=value") as mistake:
        project("config: {}\n", override)
    assert mistake.value.code == 2


def test_a_tests_config_is_merged_deeply_over_the_file(project):
    made = project(
        "config:\n  shop:tree: {a: 1, x: {b: 2}}\n",
        config={"tree": {"x": {"c": 3}}, "aws:region": "eu-west-1"},
    )
    assert json.loads(made.config["shop:tree"]) == {"a": 1, "x": {"b": 2, "c": 3}}
    assert made.region == "eu-west-1"


def test_a_stack_without_a_file_runs_on_defaults_and_says_so(project):
    project("config: {}\n", name="prod")
    made = project(name="prd")
    assert made.remarks == (
        "Pulumi.prd.yaml does not exist (there are: prod): every setting has its default; did you mean 'prod'?",
    )


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", "x" * 101])
def test_a_name_that_pulumi_would_refuse_is_refused(project, name):
    with pytest.raises(Mistake, match="is no stack name"):
        stack.load(project.root, name)


def test_the_whole_file_is_checked_against_the_projects_schema(project):
    schema = {
        "properties": {
            "config": {
                "properties": {
                    "aws:region": {"enum": ["us-west-2"]},
                    "shop:size": {"type": "integer"},
                },
                "additionalProperties": False,
            }
        }
    }
    (project.root / "stack.schema.json").write_text(json.dumps(schema))
    with pytest.raises(Mistake) as mistake:
        project("config:\n  aws:region: eu-west-1\n")
    assert (
        str(mistake.value)
        == "Pulumi.dev.yaml: config.aws:region: 'eu-west-1' is not one of ['us-west-2']"
    )
    # The program itself judges its own namespace, in better words.
    assert project("config:\n  shop:size: big\n").config["shop:size"] == "big"


def test_layers_are_not_built_for_aws_where_the_project_knows_the_switch(project):
    key = "shop:packaging"
    assert key not in project("config: {}\n").config
    schema = {"properties": {"config": {"properties": {key: {}}}}}
    (project.root / "stack.schema.json").write_text(json.dumps(schema))
    assert json.loads(project("config: {}\n").config[key]) == {"build": False}
