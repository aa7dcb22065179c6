"""Lesson 31, count the words of a Slack message: checks, hints, solutions, wrong answers."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from labs.course import deploying
from labs.course.packaging import package
from labs.exercises import Exercise, NotTried, NotYet
from labs.pubsub import ensure

NEEDS = {
    "31.2": ("role", "table"),
    "31.3": ("lambda_client", "function_arn", "event"),
}

TALLY = "functions/tally"
NO_WORDS = "no words"


def ready(aws: Any, section: str) -> bool:
    """Is in the account what a section needs? Raises what AWS answers for a thing not there."""
    aws.client("iam").get_role(RoleName=aws.name("aws_advent_lambda_dynamo"))
    aws.client("dynamodb").describe_table(TableName=aws.name("table"))
    if section >= "31.3":
        aws.client("lambda").get_function(FunctionName=aws.name("aws_advent"))
    return True


# 31.1: count words in a handler


def check_tally(aws: Any) -> None:
    """Put the learner's file into a function, call it with forms, and count what it answers."""
    name = deploy_tally(aws)
    for text in ("tea milk tea", "a&b 50% a&b"):
        answer = tally(aws, name, text)
        if counts_in(answer) != {word: str(n) for word, n in Counter(text.split()).items()}:
            raise NotYet(
                found=f"the text `{text}` is answered with `{answer}`",
                expected="each different word once, with how often it stands in the text",
                look_at="what the handler does with each part of the text, from the body on:"
                f" the form arrives as `{form(text)}`.",
            )
    answer = tally(aws, name, None)
    if answer.strip().lower().rstrip(".") != NO_WORDS:
        raise NotYet(
            found=f"a form without a text is answered with `{answer}`",
            expected=f"the text `{NO_WORDS}`",
            look_at="what parse_qs returns for a form that has no field `text`.",
        )


def deploy_tally(aws: Any) -> str:
    """The name of the function that holds the learner's file. Raises NotYet if it cannot."""
    if not Path(TALLY, "app.py").is_file():
        raise NotTried
    try:
        code = package(TALLY)
    except ValueError as wrong:
        raise NotYet(
            found=f"Lambda could not load this file. {wrong}",
            expected="a Python file with a function `handler`",
            look_at="the line that it names. Run the cell when it is mended: the check packs.",
        ) from None
    role = aws.client("iam").get_role(RoleName=aws.name("aws_advent_lambda_dynamo"))["Role"]
    settings = {"Runtime": "python3.13", "Handler": "app.handler", "Role": role["Arn"]}
    deploying.function(aws.client("lambda"), aws.name("tally"), code, settings)
    return aws.name("tally")


def form(text: str | None) -> str:
    """A posted form, as API Gateway hands it on."""
    fields = {"trigger_word": "tea", "text": text}
    return urlencode({field: value for field, value in fields.items() if value is not None})


def tally(aws: Any, name: str, text: str | None) -> str:
    """The text that the function answers a form with. Raises NotYet for any other answer."""
    event = json.dumps({"body": form(text)})
    reply = aws.client("lambda").invoke(FunctionName=name, Payload=event)
    answer = json.load(reply["Payload"])
    said = f"the text `{text}`" if text else "a form without a text"
    if "FunctionError" in reply:
        raise NotYet(
            found=f"{said} ends in {answer.get('errorType', 'an error')}:"
            f" {answer.get('errorMessage', '')}",
            expected="an answer with status 200, also to a form without a text",
            look_at=f"the body, which arrives as `{form(text)}`, and `log(aws.name('tally'))`.",
        )
    try:
        status, body = answer["statusCode"], answer["body"]
        content = json.loads(body)["text"]
    except (TypeError, KeyError, ValueError):
        raise NotYet(
            found=f"{said} is answered with `{json.dumps(answer)}`",
            expected="a dictionary of `statusCode` and `body`, and as body a *string* of JSON with"
            " a `text`",
            look_at="what `app.py` of the word counter returns, and what json.dumps does there.",
        ) from None
    if status != 200 or not isinstance(content, str):
        raise NotYet(
            found=f"{said} is answered with status {status!r} and the text {content!r}",
            expected="status 200, and a text",
            look_at="the last line of the handler.",
        )
    return content


def counts_in(answer: str) -> dict[str, str]:
    """{word: count} of `tea: 2, milk: 1`, in whatever order."""
    pairs = (part.rpartition(":") for part in answer.replace("\n", ",").split(","))
    return {word.strip(): count.strip() for word, _, count in pairs if word.strip()}


TALLY_SOLUTION = """\
%%writefile functions/tally/app.py
import json
from collections import Counter
from urllib.parse import parse_qs


def handler(event, context):
    # parse_qs turns the form's + and %26 back; get() has an answer for a form without a text.
    words = parse_qs(event["body"]).get("text", [""])[0].split()
    counts = Counter(words)
    text = ", ".join(f"{word}: {count}" for word, count in counts.items()) or "no words"
    return {"statusCode": 200, "body": json.dumps({"text": text})}
"""

TALLY_BY_HAND = """\
%%writefile functions/tally/app.py
import json
from urllib.parse import parse_qs


def handler(event, context):
    form = parse_qs(event["body"])
    if "text" not in form:
        return answer("no words")
    counts = {}
    for word in form["text"][0].split():
        counts[word] = counts.get(word, 0) + 1
    return answer(", ".join(f"{word}: {counts[word]}" for word in sorted(counts)))


def answer(text):
    return {"statusCode": 200, "body": json.dumps({"text": text})}
"""

TALLY_WRONG = {
    # The text is not split: a loop over a string goes letter by letter.
    TALLY_SOLUTION.replace("[0].split()", "[0]"): "is answered with `t: 2, e: 2",
    # Each word once, whatever its number.
    TALLY_SOLUTION.replace("Counter(words)", "{word: 1 for word in words}"): "`tea: 1, milk: 1`",
    # The body taken for JSON.
    TALLY_SOLUTION.replace("parse_qs(event", "json.loads(event"): "ends in JSONDecodeError",
    # The form taken apart by hand.
    TALLY_SOLUTION.replace(
        'parse_qs(event["body"]).get("text", [""])[0].split()',
        'event["body"].split("text=")[-1].split("+")',
    ): "`a%26b: 2",
    # A dictionary where API Gateway takes a string.
    TALLY_SOLUTION.replace('json.dumps({"text": text})', '{"text": text}'): "a *string* of JSON",
    # The plain case alone.
    TALLY_SOLUTION.replace('.get("text", [""])', '["text"]'): "without a text ends in KeyError",
}


# 31.2: a missing permission gives 500


def check_coffee(aws: Any) -> None:
    """Post to both paths a word of the check's own; if one is refused, tell what the doors say."""
    api_url = url_of_api(aws)
    for path in ("aws_advent", "coffee"):
        reply = requests.post(f"{api_url}/{path}", data={"text": "check"}, timeout=10)
        if reply.status_code != 200:
            found, look_at = what_the_doors_say(aws, path)
            raise NotYet(
                found=f"POST /{path} is answered {reply.status_code}, `{reply.text}`. {found}",
                expected="both paths answered 200, with a count",
                look_at=look_at,
            )


def url_of_api(aws: Any) -> str:
    """Where the lesson's API is. Raises NotYet if there is none."""
    name = aws.name("aws_advent")
    api_id = ensure.find_api(aws.client("apigateway"), name)
    if api_id is None:
        raise NotYet(
            found=f"there is no API called {name}",
            expected="the API of section 3, with two paths",
            look_at="the cells of section 3: have they run since the set-up cell?",
        )
    return f"https://{api_id}.execute-api.{aws.region}.amazonaws.com/prod"


def what_the_doors_say(aws: Any, path: str) -> tuple[str, str]:
    """What a learner's mending has changed so far, and where to look next."""
    role_name = aws.name("aws_advent_lambda_dynamo")
    iam = aws.client("iam")
    for policy in iam.list_role_policies(RoleName=role_name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role_name, PolicyName=policy)["PolicyDocument"]
        if "lambda:" in json.dumps(document):
            return (
                f"The policy {policy} of the function's role speaks of Lambda",
                "who calls here, and who is called: whose role is this?",
            )
    statements = statements_of(aws, aws.name("aws_advent"))
    others = [s for s in statements if s["Sid"] != "api-gateway"]
    if not others:
        known = len(statements)
        return (
            f"The function's own policy has {known} statement{'s' * (known != 1)}",
            '"Two doors" above, and `lambda_client.get_policy(FunctionName=function_name)`:'
            " for which requests does it hold?",
        )
    newest = others[-1]
    who = newest.get("Principal", {})
    who = who.get("Service", who) if isinstance(who, dict) else who
    if who != "apigateway.amazonaws.com":
        return (
            f"Statement {newest['Sid']} of the function's policy lets `{who}` in",
            "who it is that calls the function when somebody posts to the URL.",
        )
    arn = newest.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn", "nothing")
    return (
        f"Statement {newest['Sid']} of the function's policy holds for `{arn}`",
        f"what stands after the account in that ARN, and what a POST to /{path} at stage prod"
        " would need there.",
    )


def statements_of(aws: Any, function_name: str) -> list[dict]:
    """Who may invoke a function, as statements; none without a policy."""
    functions = aws.client("lambda")
    try:
        text = functions.get_policy(FunctionName=function_name)["Policy"]
    except functions.exceptions.ResourceNotFoundException:
        return []
    return json.loads(text)["Statement"]


POST_COFFEE = """
coffee = requests.post(f"{api_url}/coffee", data={"text": "coffee"}, timeout=10)
coffee.status_code, coffee.text
"""

COFFEE_SOLUTION = (
    """\
# API Gateway may call the function for /aws_advent alone: the function's own policy says so. A
# second statement lets requests to /coffee in, and no others.
lambda_client.add_permission(
    FunctionName=function_name,
    StatementId="api-gateway-coffee",
    Action="lambda:InvokeFunction",
    Principal="apigateway.amazonaws.com",
    SourceArn=f"arn:aws:execute-api:{aws.region}:{aws.account_id}:{api['id']}/*/POST/coffee",
)
"""
    + POST_COFFEE
)

COFFEE_WIDER = (
    """\
lambda_client.remove_permission(FunctionName=function_name, StatementId="api-gateway")
lambda_client.add_permission(
    FunctionName=function_name,
    StatementId="every-path-of-this-api",
    Action="lambda:InvokeFunction",
    Principal="apigateway.amazonaws.com",
    SourceArn=f"arn:aws:execute-api:{aws.region}:{aws.account_id}:{api['id']}/prod/POST/*",
)
"""
    + POST_COFFEE
)

COFFEE_WRONG = {
    # Deployed again: that is what helps after a change of the API, and there was none.
    'apigateway.create_deployment(restApiId=api["id"], stageName="prod")\n'
    + POST_COFFEE: "own policy has 1 statement",
    # The path alone, without stage and method.
    COFFEE_SOLUTION.replace("/*/POST/coffee", "/coffee").replace(
        "gateway-coffee", "1"
    ): "holds for `arn:aws:execute-api:",
    # Let Lambda call Lambda.
    COFFEE_SOLUTION.replace('"apigateway.', '"lambda.').replace(
        "gateway-coffee", "2"
    ): "lets `lambda.amazonaws.com` in",
    # The other door: the role's.
    """\
may_invoke = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function_arn}
iam.put_role_policy(
    RoleName=role["RoleName"],
    PolicyName="invoke",
    PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may_invoke]}),
)
"""
    + POST_COFFEE: "speaks of Lambda",
}


# 31.3: what Slack shows the second time

SECOND_MESSAGE = ("awsadvent", "more", "words")


def check_second_answer(aws: Any, answer: Any) -> None:
    """Compare with the table: one more than it holds, or what it holds once it was posted."""
    expected = {word: count_of(aws, word) for word in SECOND_MESSAGE}
    if not expected["more"]:  # not posted yet
        expected = {word: count + 1 for word, count in expected.items()}
    if not isinstance(answer, dict):
        raise NotYet(
            found=f"a value of type {type(answer).__name__}",
            expected="a dictionary with a number for each of the three words",
            look_at="the cell as it was: put numbers in place of the dots.",
        )
    given = {word: answer.get(word, ...) for word in SECOND_MESSAGE}
    if all(value is ... or value is None for value in given.values()):
        raise NotTried
    numbers = {word: number_in(value) for word, value in given.items()}
    if numbers == expected:
        return
    shown = {word: "..." if value is ... else value for word, value in given.items()}
    found = ", ".join(f"{word}: {value}" for word, value in shown.items())
    look_at = "each word by itself: how often has the table been asked to add to it so far?"
    if set(numbers.values()) == {1}:
        look_at = "what is lost with the loaded copy of the code: does it hold the counts?"
    elif len(set(numbers.values())) == 1:
        look_at = "the word `more`: has it been in a message before?"
    raise NotYet(
        found=f"your answer is {found}",
        expected="for each word what its item in the table will hold after this message",
        look_at=f"{look_at} `table.scan()` shows the items.",
    )


def count_of(aws: Any, word: str) -> int:
    """What the table holds for a word; 0 without an item."""
    reply = aws.client("dynamodb").get_item(
        TableName=aws.name("table"), Key={"word": {"S": word}}, ConsistentRead=True
    )
    return int(reply.get("Item", {}).get("count", {}).get("N", 0))


def number_in(value: Any) -> int | None:
    """A whole number, or a text that is one; None for anything else."""
    try:
        return int(str(value))
    except ValueError:
        return None


EXERCISES = (
    Exercise(
        id="31.1",
        title="count words in a handler",
        kind="build",
        check=check_tally,
        hints=(
            "What is the type of `event['body']`, and what does `app.py` of the word counter do"
            " first with it?",
            "You need four steps: form to text, text to words, words to counts, counts to text."
            " For the third, the standard library has `collections.Counter`.",
            "A form without a text has no key `text`, so `[...]` raises. A dictionary's `get` takes"
            " a second argument: what to return then.",
        ),
        solution=TALLY_SOLUTION,
        also=(TALLY_BY_HAND,),
        wrong=TALLY_WRONG,
    ),
    Exercise(
        id="31.2",
        title="mend the path that answers 500",
        kind="repair",
        check=check_coffee,
        hints=(
            "Does the function's log show a call for /coffee? If not, the request was stopped"
            " before the function. At which of the two doors?",
            "Compare the path in `lambda_client.get_policy(FunctionName=function_name)` with the"
            " path that is refused.",
            "Another `add_permission`, like that of section 3, with another StatementId, and a"
            " SourceArn that holds for this path.",
        ),
        solution=COFFEE_SOLUTION,
        also=(COFFEE_WIDER,),
        wrong=COFFEE_WRONG,
    ),
    Exercise(
        id="31.3",
        title="say what Slack shows the second time",
        kind="explain",
        check=check_second_answer,
        hints=(
            "Where is a count kept between two messages: in the function, or somewhere else?",
            "Two of the three words were in the first message of this channel. What does the table"
            " hold for them now?",
            "`ADD` adds 1 to what the item holds, and makes an item that is missing from 0.",
        ),
        solution="# Two words stand in the table at 1, `more` does not. The code held no count.\n"
        'second_answer = {"awsadvent": 2, "more": 1, "words": 2}\n',
        also=("second_answer = dict(awsadvent=2, words=2, more=1)\n",),
        wrong={
            'second_answer = {"awsadvent": 1, "more": 1, "words": 1}\n': "loaded copy of the code",
            'second_answer = {"awsadvent": 2, "more": 2, "words": 2}\n': "been in a message before",
            'second_answer = {"awsadvent": 12, "more": 11, "words": 12}\n': "each word by itself",
            'second_answer = {"awsadvent": 2, "more": ..., "words": 2}\n': "more: ...,",
            'second_answer = "awsadvent: 2, more: 1, words: 2"\n': "a dictionary with a number",
        },
    ),
)
