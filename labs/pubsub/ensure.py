"""A table and an API, made where they are missing; `labs.course.deploying` has the other steps.

Sources: the API references of DynamoDB and API Gateway.
"""

from contextlib import suppress
from typing import Any

from labs.course.deploying import permission


def table(dynamodb: Any, name: str) -> str:
    """The ARN of the table, active, with the string key `word`, paid by request.

    Raises RuntimeError when a table of this name has another key.
    """
    key = [{"AttributeName": "word", "KeyType": "HASH"}]
    columns = [{"AttributeName": "word", "AttributeType": "S"}]
    with suppress(dynamodb.exceptions.ResourceInUseException):  # it is there, or on its way
        dynamodb.create_table(
            TableName=name,
            KeySchema=key,
            AttributeDefinitions=columns,
            BillingMode="PAY_PER_REQUEST",
        )
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 2})
    found = dynamodb.describe_table(TableName=name)["Table"]
    if found["KeySchema"] != key or found["AttributeDefinitions"] != columns:
        raise RuntimeError(
            f"The table {name} is there with the key {found['KeySchema']}"
            f" {found['AttributeDefinitions']}; the word counter needs the string key `word` alone."
            " Delete that table, or deploy under another name."
        )
    return found["TableArn"]


def api(gateway: Any, functions: Any, name: str, path: str, stage: str, function_arn: str) -> str:
    """The id of a REST API whose stage `stage` passes POST /`path` on to the function."""
    api_id = (
        find_api(gateway, name)
        or gateway.create_rest_api(name=name, endpointConfiguration={"types": ["REGIONAL"]})["id"]
    )
    _, partition, _, region, account, *_ = function_arn.split(":")
    permission(
        functions,
        function_arn,
        f"api-{api_id}-{path}",
        "apigateway.amazonaws.com",
        f"arn:{partition}:execute-api:{region}:{account}:{api_id}/*/POST/{path}",
    )
    method = {
        "restApiId": api_id,
        "resourceId": resource(gateway, api_id, path),
        "httpMethod": "POST",
    }
    with suppress(gateway.exceptions.ConflictException):
        gateway.put_method(**method, authorizationType="NONE")  # "Open", as in the article
    gateway.put_integration(
        **method,
        type="AWS_PROXY",
        integrationHttpMethod="POST",  # how API Gateway calls Lambda, whatever the client sent
        uri=f"arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/"
        f"{function_arn}/invocations",
    )
    # A stage shows the API as it was when it was deployed; it comes last, so it shows the whole.
    stages = gateway.get_stages(restApiId=api_id)["item"]
    if stage not in {item["stageName"] for item in stages}:
        gateway.create_deployment(restApiId=api_id, stageName=stage)
    return api_id


def find_api(gateway: Any, name: str) -> str | None:
    """The id of the oldest API of this name, or None. AWS would make a second of the same name."""
    pages = gateway.get_paginator("get_rest_apis").paginate()
    found = [item for page in pages for item in page["items"] if item["name"] == name]
    return min(found, key=lambda item: item["createdDate"])["id"] if found else None


def resource(gateway: Any, api_id: str, path: str) -> str:
    """The id of the resource /`path`, made below the root if it is not there."""
    pages = gateway.get_paginator("get_resources").paginate(restApiId=api_id)
    ids = {item["path"]: item["id"] for page in pages for item in page["items"]}
    if f"/{path}" in ids:
        return ids[f"/{path}"]
    made = gateway.create_resource(restApiId=api_id, parentId=ids["/"], pathPart=path)
    return made["id"]
