"""Lesson 01: read an error, find a region, make a table and wait for it, widen a role a little."""

import re
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from labs.exercises import Exercise, NotTried, NotYet
from labs.exercises.slow_tables import SlowTables

#: Letter of a message in the text of 01.1 -> what learners may call it instead.
CALLS = {
    "A": ("updateitem", "throttlingexception"),
    "B": ("getitem", "accessdeniedexception"),
    "C": ("putitem", "validationexception"),
}
#: Where the colleague of 01.2 may keep her guestbook. The notebook chooses among the same.
REGIONS = ("ca-central-1", "eu-central-1", "us-west-2")
#: What a role is told that may not: DynamoDB's code.
DENIED = "AccessDeniedException"


def check_01_1(aws: Any, repeat: Any, permission: Any, operation: Any) -> None:
    """The right message for each question; its letter, its code and its operation all name it."""
    given = {"repeat": repeat, "permission": permission, "operation": operation}
    blank = [f"`{name}`" for name, answer in given.items() if answer is None or answer is ...]
    if blank:
        raise NotYet(
            found=f"no answer yet for {' and '.join(blank)}",
            expected="an answer to each of the three questions",
            look_at="the message that fits, and the table of codes.",
        )
    if letter(repeat) != "A":
        raise NotYet(
            found=f"you would make {named(repeat)} again, unchanged",
            expected="one of A, B and C: a call that may go through later, although nobody changes"
            " the call or a policy",
            look_at="the table of codes above: what is each message's code, and what does it ask"
            " you to do?",
        )
    if letter(permission) != "B":
        raise NotYet(
            found=f"you would ask for a permission for {named(permission)}",
            expected="one of A, B and C: a call that is right as it is, by a caller who may not",
            look_at="what stands behind the last colons: which message names a caller?",
        )
    if plain(operation) != "putitem":
        raise NotYet(
            found=f"{operation!r} as the operation that has to be called differently"
            + (f": it stands in message {letter(operation)}" if letter(operation) else ""),
            expected="the name of an operation, as the message gives it, of a call that would fail"
            " each time, whoever makes it",
            look_at="the one message that is left. A message has a code, which says what went"
            " wrong, and an operation, which says what was asked for.",
        )


def plain(answer: Any) -> str:
    """An answer without the ways of writing it: put_item, put-item and "PutItem " are one."""
    return re.sub(r"[\s_-]", "", answer).lower() if isinstance(answer, str) else ""


def letter(answer: Any) -> str:
    """Which of the three messages an answer means, or ""."""
    text = plain(answer)
    return next((key for key, names in CALLS.items() if text in (key.lower(), *names)), "")


def named(answer: Any) -> str:
    """How to speak of an answer."""
    return f"call {letter(answer)}" if letter(answer) else repr(answer)


def check_01_2(aws: Any) -> None:
    """The colleague's table has the item `hello`, whichever client wrote it."""
    name = aws.name("guestbook")
    places = {region: table_at(aws, region, name) for region in {*REGIONS, aws.region}}
    tables = {region: table for region, table in places.items() if table}
    if not set(tables) - {aws.region}:
        raise NotYet(
            found=f"no table {name} outside {aws.region}: the guestbook is gone, or was never made",
            expected="the colleague's table, and your item in it",
            look_at="the cell above in which she makes the guestbook. Run it again.",
        )
    # Whoever makes a second table of this name elsewhere does so after her.
    hers = min(set(tables) - {aws.region}, key=lambda place: tables[place]["CreationDateTime"])
    client = aws.client("dynamodb", region_name=hers)
    if "Item" in client.get_item(TableName=name, Key={"word": {"S": "hello"}}):
        return
    others = sorted(set(tables) - {hers})
    words = [item["word"].get("S") for item in client.scan(TableName=name, Limit=5)["Items"]]
    inside = f"the guestbook has {', '.join(map(repr, words)) or 'no items'}, and no `hello`"
    raise NotYet(
        found=f"{inside}. In {' and '.join(others)}, there is another table {name}"
        if others
        else inside,
        expected="the item `hello` in the one table that the ARN names. Two tables of one name in"
        " two regions have nothing to do with each other",
        look_at="the item, letter by letter: the table is the right one."
        if words
        else "the ARN, field by field, and the region in which your client asks:"
        " `there.meta.region_name`.",
    )


def table_at(aws: Any, region: str, name: str) -> dict[str, Any] | None:
    """What DescribeTable says in a region; None where there is no such table."""
    client = aws.client("dynamodb", region_name=region)
    try:
        return client.describe_table(TableName=name)["Table"]
    except client.exceptions.ResourceNotFoundException:
        return None


def check_01_3(aws: Any, make_table: Any) -> None:
    """The function makes the table, tags it, and returns when it has been told ACTIVE."""
    if not callable(make_table):
        raise NotYet(
            found=f"{type(make_table).__name__}, which cannot be called",
            expected="the function itself: `make_table`, without parentheses",
            look_at="the line of the check.",
        )
    name = aws.name("days")
    delete_table(aws, name)
    try:
        watched = SlowTables(aws.client("dynamodb"), name)
        returned = call(make_table, watched.client, name)
        judge(watched, table_at(aws, aws.region, name), returned)
        judge_tags(aws.client("dynamodb"), name)
    finally:
        delete_table(aws, name)


def call(make_table: Callable[[Any, str], Any], client: Any, name: str) -> Any:
    """What the learner's function returns; whatever stops it becomes a NotYet in its words."""
    try:
        return make_table(client, name)
    except NotYet:  # from the client that the function was given
        raise
    except Exception as stopped:  # boto3's errors, and what a learner's code may raise
        raise NotYet(
            found=f"your function was stopped: {type(stopped).__name__}: {stopped}",
            expected="a function of two parameters, client and name, that comes to its end",
            look_at="the message: it names the operation, the parameter, or the name in your"
            " function that is not right.",
        ) from None


def judge(watched: SlowTables, table: dict[str, Any] | None, returned: Any) -> None:
    """Raise NotTried or NotYet if the function made no table, another one, or did not wait."""
    if table is None and not watched.calls and returned is None:
        raise NotTried
    if table is None or "CreateTable" not in watched.calls:
        raise NotYet(
            found=f"calls of the client that your function was given: {watched.calls or 'none'}",
            expected="a table of the name it was given, made with the client it was given",
            look_at="the two parameters of `make_table`: are both used?",
        )
    key = [(entry["AttributeName"], entry["KeyType"]) for entry in table["KeySchema"]]
    kinds = {
        entry["AttributeName"]: entry["AttributeType"] for entry in table["AttributeDefinitions"]
    }
    if key != [("day", "HASH")] or kinds.get("day") != "S":
        raise NotYet(
            found="a table with the key "
            + " and ".join(f"`{column}` ({kind}, type {kinds[column]})" for column, kind in key),
            expected="the key `day` (HASH, type S), and nothing else",
            look_at="`KeySchema` and `AttributeDefinitions`: both speak of the key.",
        )
    if table.get("BillingModeSummary", {}).get("BillingMode") != "PAY_PER_REQUEST":
        raise NotYet(
            found="a table with a throughput that somebody has to choose",
            expected="a table that is paid by request",
            look_at="`BillingMode` of the table `words`, above.",
        )
    if watched.told != "ACTIVE":
        raise NotYet(
            found=f"your function came back while the table was {watched.told}. On AWS, the next"
            " call would be refused",
            expected="a function that comes back when it has been told that the table is ACTIVE",
            look_at="what stood between making `words` and writing into it.",
        )


def judge_tags(client: Any, name: str) -> None:
    """Raise NotYet for a table without an owner."""
    arn = client.describe_table(TableName=name)["Table"]["TableArn"]
    tags = {
        tag["Key"]: tag["Value"] for tag in client.list_tags_of_resource(ResourceArn=arn)["Tags"]
    }
    if not tags.get("owner", "").strip():
        raise NotYet(
            found=f"the tags {tags}" if tags else "a table without tags",
            expected="a tag whose key is `owner` and whose value is a name",
            look_at="`Tags` of the table `words`: a list, each entry with a `Key` and a `Value`.",
        )


def delete_table(aws: Any, name: str) -> None:
    """The table is gone, or was not there. AWS deletes none that is still being made."""
    if table_at(aws, aws.region, name):
        client = aws.client("dynamodb")
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        client.delete_table(TableName=name)
        client.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 1})


def check_01_4(aws: Any) -> None:
    """As the role: gets and puts in `words`, calls nothing else, and puts in no other table."""
    role, words = aws.name("reader"), aws.name("words")
    client = as_role(aws, role)
    hello = {"word": {"S": "hello"}}
    # On AWS a policy counts after some seconds; in the mock, from the next call on.
    deadline = time.monotonic() + (15 if aws.mode == "live" else 0)
    while not (puts := may_put(client, words)) and time.monotonic() < deadline:
        time.sleep(1)
    reads = is_allowed(client.get_item, TableName=words, Key=hello)
    if not puts:
        raise NotYet(
            found=f"as {role}, PutItem on {words} is still refused"
            + ("" if reads else ", and so is GetItem"),
            expected="the role may put an item into this table",
            look_at="`reader.put_item(TableName=words, Item=...)`: when AWS refuses, the message"
            " names action and resource. `iam.get_role_policy` says what you have allowed.",
        )
    if not reads:
        raise NotYet(
            found=f"as {role}, PutItem is allowed now, and GetItem, which was allowed before, no"
            " longer",
            expected="the role may do both",
            look_at="`iam.list_role_policies`: how many policies has the role, and what are they"
            " called?",
        )
    other_calls = {
        "DeleteItem": (client.delete_item, {"Key": hello, **NEVER}),
        "UpdateItem": (client.update_item, {"Key": hello, **NEVER}),
        "Scan": (client.scan, {"Limit": 1}),
        "DescribeTable": (client.describe_table, {}),
    }
    for action, (operation, arguments) in other_calls.items():
        if is_allowed(operation, TableName=words, **arguments):
            raise NotYet(
                found=f"as {role}, {action} on {words} is allowed, too",
                expected="the role may get and put items, and do nothing else",
                look_at="the actions of the role's policies: which are too many, or stand for more"
                " than one?",
            )
    others = [name for name in (aws.name("elsewhere"), f"{words}-2") if may_put(client, name)]
    if others:
        raise NotYet(
            found=f"as {role}, PutItem is allowed on other tables, too, such as {others[0]}",
            expected=f"on {words} and no other table",
            look_at="the resource of the role's policies: which tables does it name?",
        )


#: A condition that no item meets: who may call is told so, and nothing changes.
NEVER = {"ConditionExpression": "attribute_exists(word) AND attribute_not_exists(word)"}


def may_put(client: Any, table: str) -> bool:
    """May the role put items into a table? Nothing is put."""
    return is_allowed(client.put_item, TableName=table, Item={"word": {"S": "hello"}}, **NEVER)


def is_allowed(operation: Callable[..., Any], **arguments: Any) -> bool:
    """Does the call get past the policies? What happens to it behind them does not matter."""
    try:
        operation(**arguments)
    except ClientError as refused:
        return refused.response["Error"]["Code"] != DENIED
    return True


def as_role(aws: Any, role: str) -> Any:
    """A DynamoDB client with keys of the role."""
    arn = aws.client("iam").get_role(RoleName=role)["Role"]["Arn"]
    assumed = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="check")
    keys = assumed["Credentials"]
    return aws.client(
        "dynamodb",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def ready(aws: Any, section: str) -> bool:
    """Is the table there that section 4 works with? The others make theirs."""
    return section != "01.4" or table_at(aws, aws.region, aws.name("words")) is not None


MAKE_TABLE = """def make_table(client, name):
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "day", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "day", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=[{"Key": "owner", "Value": "ada"}],
    )
    # CreateTable answers when it has begun: only the waiter knows when it has ended.
    client.get_waiter("table_exists").wait(TableName=name)"""

POLLED = """import time

def make_table(client, name):
    key = "day"
    client.create_table(
        TableName=name,
        AttributeDefinitions=[dict(AttributeName=key, AttributeType="S")],
        KeySchema=[dict(AttributeName=key, KeyType="HASH")],
        BillingMode="PAY_PER_REQUEST",
    )
    while client.describe_table(TableName=name)["Table"]["TableStatus"] != "ACTIVE":
        time.sleep(0.5)
    arn = client.describe_table(TableName=name)["Table"]["TableArn"]
    client.tag_resource(ResourceArn=arn, Tags=[dict(Key="owner", Value="the blue team")])"""


def with_policy(action: str, resource: str = "words_arn", name: str = "read-words") -> str:
    """A source that gives the role a policy; `action` and `resource` are expressions."""
    return f"""may = {{"Effect": "Allow", "Action": {action}, "Resource": {resource}}}
iam.put_role_policy(
    RoleName=role_name,
    PolicyName="{name}",
    PolicyDocument=json.dumps({{"Version": "2012-10-17", "Statement": [may]}}),
)"""


def in_region(region: str) -> str:
    """A source that writes `hello`, asking in a region; `region` is an expression, or ""."""
    argument = f", region_name={region}" if region else ""
    return f"""there = aws.client("dynamodb"{argument})
try:
    there.put_item(TableName=guestbook, Item={{"word": {{"S": "hello"}}}})
except ClientError as error:
    print(error)"""


EXERCISES = (
    Exercise(
        id="01.1",
        title="say what to do about three errors",
        kind="explain",
        check=check_01_1,
        hints=(
            "What is the code of each message? It stands in the first pair of parentheses.",
            "One code says *too fast*, one *you may not*, one *this makes no sense*. Which is"
            " which, and what does the table say of each?",
            "The operation stands after *calling the*. Take it from the message whose code says"
            " that the call makes no sense.",
        ),
        solution="""repeat = "A"  # throttled: nothing is wrong, except that it came too fast
permission = "B"  # the message names caller, action and resource: what a policy is made of
operation = "PutItem"  # "Missing the key": no repetition and no permission can help""",
        also=(
            'repeat, permission, operation = "a", "b", "put_item"',
            """repeat = "ThrottlingException"
permission = "AccessDeniedException"
operation = "putItem\"""",
        ),
        wrong={
            'repeat, permission, operation = "C", "B", "PutItem"': "you would make call C again",
            'repeat, permission, operation = "A", "C", "PutItem"': "a permission for call C",
            'repeat, permission, operation = "A", "B", "ValidationException"': "as the operation",
            'repeat, permission, operation = 400, "B", "PutItem"': "you would make 400 again",
            'repeat, permission, operation = "A", "B", "UpdateItem"': "it stands in message A",
            'repeat, permission, operation = "A", "B", ...': "no answer yet for `operation`",
        },
    ),
    Exercise(
        id="01.2",
        title="write into a table in another region",
        kind="repair",
        check=check_01_2,
        hints=(
            "The name is right, and the table is there. What else does an ARN say, besides the"
            " name?",
            "The fourth field of an ARN is the region. In which region does the client ask?",
            "`aws.client` takes `region_name=`. Its value is in the ARN, after the third colon.",
        ),
        solution="""# A client asks in one region, and the ARN's fourth field says in which.
there = aws.client("dynamodb", region_name=guestbook_arn.split(":")[3])
there.put_item(TableName=guestbook, Item={"word": {"S": "hello"}})""",
        also=(
            """import boto3

_, _, _, region, _, _ = guestbook_arn.split(":", 5)
there = boto3.session.Session(region_name=region).resource("dynamodb").Table(guestbook)
there.put_item(Item={"word": "hello"})""",
        ),
        wrong={
            in_region('"eu-west-1"'): "no items, and no `hello`",
            in_region("").replace("=guestbook,", "=guestbook_arn,"): "field by field",
            in_region('guestbook_arn.split(":")[3]').replace("hello", "Hello"): "'Hello'",
            "from labs.pubsub import ensure\n\n"
            "ensure.table(dynamodb, guestbook)\n" + in_region(""): "another table",
        },
    ),
    Exercise(
        id="01.3",
        title="make a tagged table, and wait for it",
        kind="build",
        check=check_01_3,
        hints=(
            "Which three things did the cells above do until `words` could be written into?",
            "The key is named twice in `create_table`. A tag has a `Key` and a `Value`.",
            "End with `client.get_waiter(...)`, and let it wait for `TableName=name`.",
        ),
        solution=MAKE_TABLE,
        also=(POLLED,),
        wrong={
            MAKE_TABLE[: MAKE_TABLE.index("    # CreateTable")]: "while the table was CREATING",
            MAKE_TABLE.replace('        Tags=[{"Key": "owner", "Value": "ada"}],\n', ""): "tags",
            MAKE_TABLE.replace('{"Key": "owner", "Value": "ada"}', '{"owner": "ada"}'): "stopped",
            MAKE_TABLE.replace('"day"', '"word"'): "a table with the key `word`",
            MAKE_TABLE.replace("client, name", "name"): "takes 1 positional argument",
            "def make_table(client, name):\n    return name": "was given: none",
            MAKE_TABLE.replace("TableName=name", "TableName=words"): "for a table",
            MAKE_TABLE.replace("client.", "dynamodb."): "made with the client it was given",
            MAKE_TABLE.replace('        BillingMode="PAY_PER_REQUEST",\n', ""): "stopped",
            MAKE_TABLE.replace('"table_exists"', '"table_not_exists"'): "a waiter for",
        },
    ),
    Exercise(
        id="01.4",
        title="let a role do one thing more, and nothing else",
        kind="build",
        check=check_01_4,
        hints=(
            "What would AWS's message say if the role tried to put an item? It names the action"
            " that is missing.",
            "`put_role_policy` replaces a policy of the same name. What did the old one allow?",
            "`Action` may be a list. `Resource` can stay as it is.",
        ),
        solution="# One policy, both actions spelt out: a star would allow deleting, too.\n"
        + with_policy('["dynamodb:GetItem", "dynamodb:PutItem"]'),
        also=(
            with_policy('"dynamodb:GetItem"')
            + "\n"
            + with_policy('"dynamodb:PutItem"', name="write-words"),
        ),
        wrong={
            with_policy('"dynamodb:PutItem"'): "no longer",
            with_policy('"dynamodb:*"'): "DeleteItem",
            with_policy('"dynamodb:*"').replace("Allow", "Deny"): "and so is GetItem",
            with_policy('["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"]'): "Scan",
            with_policy('["dynamodb:GetItem", "dynamodb:PutItem"]', 'words_arn + "*"'): "words-2",
            with_policy('["dynamodb:GetItem", "dynamodb:PutItem"]', '"*"'): "other tables",
            with_policy('["dynamodb:GetItem", "dynamodb:UpdateItem"]'): "is still refused",
        },
    ),
)

NEEDS = {
    "01.2": ("dynamodb", "ClientError"),
    "01.3": ("dynamodb", "ClientError"),
    "01.4": ("sts", "dynamodb", "words", "words_arn", "ClientError"),
    "01.e": ("dynamodb", "ensure"),
}
