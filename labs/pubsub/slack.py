"""What Slack's outgoing webhook does: post a message from a channel to a URL, as a form.

Source: api.slack.com/legacy/custom-integrations/outgoing-webhooks.
"""

import time

import requests

# What Slack tells besides the text. Slack's real token is a secret; this one opens nothing.
SAMPLE = {
    "token": "no-secret",
    "team_id": "T0001",
    "team_domain": "example",
    "channel_id": "C2147483705",
    "channel_name": "advent",
    "user_id": "U2147483697",
    "user_name": "ada",
}


def form(text: str, /, **fields: str | None) -> dict[str, str]:
    """The fields of the form for `text`; its first word is taken for the trigger word.

    `fields` replace or add a field, or leave it out if None: `form("hi", trigger_word=None)`.
    """
    trigger = text.split(maxsplit=1)[:1]
    everything = {**SAMPLE, "text": text, "trigger_word": "".join(trigger), **fields}
    return {field: value for field, value in everything.items() if value is not None}


def post(url: str, text: str, **fields: str | None) -> requests.Response:
    """Post `text` to `url` as Slack would; `fields` as in `form`.

    Slack itself waits 3 s. This waits 30, API Gateway's own limit and a little, so that a lesson
    sees a late answer rather than none. Raises requests.RequestException when there is none.
    """
    fields.setdefault("timestamp", f"{time.time():.6f}")
    return requests.post(url, data=form(text, **fields), timeout=30)
