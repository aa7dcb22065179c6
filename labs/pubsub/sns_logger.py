"""Lambda function: print each word that the topic tells of. The log is in /aws/lambda/<its name>.

Subscribed to the topic. Needs no permission but to write its log.
Source: Lambda guide, "Using Lambda with Amazon SNS".
"""

import json


def handler(event: dict, context: object) -> None:
    """Print the words of each record. Raises ValueError for a message it does not understand."""
    for record in event["Records"]:
        for word in words_of(record["Sns"]["Message"]):
            print(word)


# The same lines stand in sns_multiplier, on purpose: consumers that share code must be deployed
# together, and a topic is there so that they need not be.
def words_of(message: str) -> list[str]:
    """The words of a version 1 message. Raises ValueError for anything else."""
    content = json.loads(message)
    version = content.get("version") if isinstance(content, dict) else None
    if version != 1:
        raise ValueError(f"message of version {version!r}: I read version 1; deploy me anew")
    return content["words"]
