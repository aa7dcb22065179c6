"""Variables, parameters, jobs, keys: what needs no mock."""

import json
import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cloud.mock.pipelines import jobs, variables
from labs.cloud.mock.pipelines.actions import parameters
from labs.cloud.mock.pipelines.model import Artifact
from labs.cloud.mock.pipelines.work import ActionFailed, Work, new_key
from tests.cloud.mock.pipelines.declared import zipped

NAMES = st.text("abcXYZ019@_-", min_size=1, max_size=8)


@given(st.text(), NAMES, NAMES, st.text(), st.text())
def test_a_reference_becomes_its_value_and_nothing_else_changes(before, space, key, value, after):
    text = f"{before}#{{{space}.{key}}}{after}"
    others = [found for found, _, _ in variables.references(before + after)]
    if not others and "#{" not in before + after:
        assert variables.resolve(text, {space: {key: value}}) == before + value + after


@given(st.text("#{}.ab "))
def test_hostile_references_resolve_or_say_so(text):
    try:
        resolved = variables.resolve(text, {"a": {"b": "!"}})
    except variables.Unresolved as unknown:
        assert str(unknown) in text
    else:
        assert not [name for _, name, _ in variables.references(resolved) if name == "a"]


def test_a_value_is_not_looked_into():
    spaces = {"a": {"b": "#{c.d}"}, "c": {"d": "no"}}
    assert variables.resolve("#{a.b}", spaces) == "#{c.d}"


def test_keys_are_short():
    key = new_key("a-pipeline-with-a-long-name", "ArtifactName", ".zip")
    assert re.fullmatch(r"a-pipeline-with-a-lo/ArtifactNa/[A-Za-z0-9]{7}\.zip", key)
    assert new_key("p", "a") != new_key("p", "a")


class Files(Work):
    """Work whose artifacts are at hand."""

    def __init__(self, configuration, **artifacts):
        self.configuration = configuration
        self.run = SimpleNamespace(
            name="Stack",
            region="eu-west-1",
            inputs=[Artifact(name, "bucket", f"p/{name}/key.zip") for name in artifacts],
        )
        self._contents = artifacts

    def read(self, artifact):
        return self._contents[artifact.name]


def read(overrides, **more):
    artifacts = {
        "App": zipped(
            outputs__json={"Url": "http://x", "Count": 3, "List": ["a", "b"]},
            config__json={
                "Parameters": {"A": "file", "B": 1},
                "Tags": {"t": "v"},
                "StackPolicy": [],
            },
            broken__json="{",
        ),
        "NoZip": b"text",
    }
    return parameters.read_parameters(
        Files({"ParameterOverrides": json.dumps(overrides), **more}, **artifacts)
    )


def test_overrides_win_over_the_file():
    found = read({"A": "override"}, TemplateConfiguration="App::config.json")
    assert found.values == {"A": "override", "B": "1"}
    assert (found.tags, found.stack_policy) == ({"t": "v"}, [])


def test_functions():
    found = read(
        {
            "Bucket": {"Fn::GetArtifactAtt": ["App", "BucketName"]},
            "Key": {"Fn::GetArtifactAtt": ["App", "ObjectKey"]},
            "Url": {"Fn::GetArtifactAtt": ["App", "URL"]},
            "Param": {"Fn::GetParam": ["App", "outputs.json", "Url"]},
            "Count": {"Fn::GetParam": ["App", "outputs.json", "Count"]},
            "List": {"Fn::GetParam": ["App", "outputs.json", "List"]},
            "Flag": True,
        }
    )
    assert found.values == {
        "Bucket": "bucket",
        "Key": "p/App/key.zip",
        "Url": "https://s3.eu-west-1.amazonaws.com/bucket/p/App/key.zip",
        "Param": "http://x",
        "Count": "3",
        "List": "a,b",
        "Flag": "true",
    }


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"Fn::GetParam": ["App", "outputs.json", "No"]}, "There is no No in outputs.json"),
        (
            {"Fn::GetParam": ["App", "no.json", "No"]},
            "File [no.json] does not exist in artifact [App]",
        ),
        ({"Fn::GetParam": ["App", "broken.json", "No"]}, "is not JSON"),
        ({"Fn::GetParam": ["App"]}, "has 1 arguments"),
        ({"Fn::GetParam": ["NoZip", "a", "b"]}, "is not a ZIP file"),
        ({"Fn::GetArtifactAtt": ["Other", "URL"]}, "is not an input artifact"),
        ({"Fn::GetArtifactAtt": ["App", "Size"]}, "An artifact has no Size"),
        ({"Ref": "x"}, "neither a value nor"),
        ({}, "neither a value nor"),
        ("x" * 1100, "more than 1024 bytes"),
    ],
)
def test_what_cannot_be_read_is_a_stated_failure(value, said):
    with pytest.raises(ActionFailed, match=re.escape(said)):
        read({"P": value})


def test_overrides_are_a_json_object():
    for text in ("[]", "nonsense"):
        with pytest.raises(ActionFailed, match="ParameterOverrides is not"):
            parameters.read_parameters(Files({"ParameterOverrides": text}))


@pytest.mark.parametrize("reference", ["App", "App::", "::f", "", "App:f"])
def test_a_files_reference_has_two_parts(reference):
    with pytest.raises(ActionFailed):
        Files({}, App=zipped(f="x")).file(reference)


def test_a_jobs_credentials_are_for_its_artifacts():
    run = SimpleNamespace(
        inputs=[Artifact("A", "b", "p/A/1")], outputs=[Artifact("B", "b", "p/B/2")]
    )
    reading, writing = jobs.policy(run, "aws")["Statement"]
    assert reading["Resource"] == ["arn:aws:s3:::b/p/A/1"]
    assert (writing["Action"], writing["Resource"]) == (["s3:PutObject"], ["arn:aws:s3:::b/p/B/2"])
    nothing = jobs.policy(SimpleNamespace(inputs=[], outputs=[]), "aws")["Statement"]
    assert nothing == [{"Effect": "Deny", "Action": "*", "Resource": "*"}]
