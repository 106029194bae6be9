"""Inputs to API parameters, by botocore's own service model."""

import pytest

from sandbox.clients import Clients
from sandbox.translate import Untranslated, translate


@pytest.fixture(scope="module")
def aws():
    return Clients("http://127.0.0.1:1", "us-west-2", seed=b"x")


def shape(aws, service, operation):
    return aws.input_shape(service, operation)


def test_a_name_matches_in_any_case_and_without_its_plural_s(aws):
    made = translate(
        shape(aws, "kms", "create_key"),
        {"keyUsage": "SIGN_VERIFY", "bypassPolicyLockoutSafetyCheck": True},
    )
    assert made == {"KeyUsage": "SIGN_VERIFY", "BypassPolicyLockoutSafetyCheck": True}
    assert translate(shape(aws, "lambda", "create_function"), {"architecture": ["arm64"]}) == {
        "Architectures": ["arm64"]
    }


def test_a_block_given_as_a_list_of_one_becomes_a_structure(aws):
    given = {"tracingConfig": [{"mode": "Active"}], "environment": {"variables": {"a_b": "1"}}}
    assert translate(shape(aws, "lambda", "create_function"), given) == {
        "TracingConfig": {"Mode": "Active"},
        "Environment": {"Variables": {"a_b": "1"}},
    }


def test_a_single_value_becomes_a_list_where_the_api_wants_one(aws):
    assert translate(shape(aws, "lambda", "create_function"), {"layers": "arn:x"}) == {
        "Layers": ["arn:x"]
    }


def test_two_objects_for_one_structure_are_refused_with_their_path(aws):
    with pytest.raises(ValueError, match="tracingConfig: one object is wanted here, 2 are given"):
        translate(shape(aws, "lambda", "create_function"), {"tracingConfig": [{}, {}]})


def test_values_take_the_type_the_api_asks_for(aws):
    given = {"memorySize": 256.0, "publish": "true", "description": 12, "timeout": "30"}
    made = translate(shape(aws, "lambda", "create_function"), given)
    assert made == {"MemorySize": 256, "Publish": True, "Description": "12", "Timeout": 30}
    assert [type(made[key]) for key in ("MemorySize", "Publish")] == [int, bool]


def test_what_is_no_number_is_left_for_botocore_to_refuse(aws):
    assert translate(
        shape(aws, "lambda", "create_function"), {"timeout": 1.5, "memorySize": "big"}
    ) == {
        "Timeout": 1.5,
        "MemorySize": "big",
    }


@pytest.mark.parametrize(
    ("service", "operation", "pair"),
    [
        ("kms", "create_key", ("TagKey", "TagValue")),
        ("sns", "create_topic", ("Key", "Value")),
    ],
)
def test_a_map_becomes_the_list_of_pairs_that_the_api_wants(aws, service, operation, pair):
    made = translate(shape(aws, service, operation), {"tags": {"Project": "x", "n": 1}})
    assert made["Tags"] == [{pair[0]: "Project", pair[1]: "x"}, {pair[0]: "n", pair[1]: "1"}]


def test_a_map_keeps_its_keys(aws):
    made = translate(shape(aws, "lambda", "create_function"), {"tags": {"camelCase": "x"}})
    assert made == {"Tags": {"camelCase": "x"}}


def test_a_rename_reaches_a_nested_key(aws):
    given = {"name": "f", "environment": {"vars": {"A": "1"}}}
    rename = {"name": "FunctionName", "environment.vars": "Variables"}
    assert translate(shape(aws, "lambda", "create_function"), given, rename) == {
        "FunctionName": "f",
        "Environment": {"Variables": {"A": "1"}},
    }


def test_an_unknown_key_is_refused_with_its_path(aws):
    with pytest.raises(Untranslated, match=r"^tracingConfig\.level$"):
        translate(shape(aws, "lambda", "create_function"), {"tracingConfig": {"level": 1}})


def test_unknown_keys_are_handed_on_where_the_caller_keeps_account(aws):
    unknown = []
    made = translate(
        shape(aws, "lambda", "create_function"), {"colour": 1, "timeout": 3}, unknown=unknown.append
    )
    assert (made, unknown) == ({"Timeout": 3}, ["colour"])


def test_nulls_are_left_out_at_every_depth(aws):
    given = {"timeout": None, "environment": {"variables": None}, "layers": ["a", None]}
    assert translate(shape(aws, "lambda", "create_function"), given) == {
        "Environment": {},
        "Layers": ["a"],
    }


def test_a_text_becomes_bytes_where_the_api_takes_bytes(aws):
    assert translate(shape(aws, "kms", "encrypt"), {"plaintext": "é"}) == {
        "Plaintext": "é".encode()
    }


def test_clients_are_made_once_and_read_nothing_of_the_users(aws, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    fresh = Clients("http://127.0.0.1:1", "eu-west-1")
    client = fresh.client("sqs")
    assert fresh.client("sqs") is client
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
    assert client.meta.region_name == "eu-west-1"
    assert client._request_signer._credentials.access_key == "test"
