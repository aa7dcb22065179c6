"""The form that Slack posts."""

from labs.pubsub import slack


def test_the_first_word_is_the_trigger():
    assert slack.form("awsadvent some words")["trigger_word"] == "awsadvent"
    assert slack.form("")["trigger_word"] == ""


def test_fields_replace_add_and_leave_out():
    form = slack.form("tea", user_name="grace", bot_id="B1", trigger_word=None)
    assert (form["user_name"], form["bot_id"]) == ("grace", "B1")
    assert "trigger_word" not in form


def test_post_sends_a_form_with_a_time(monkeypatch):
    sent = {}
    monkeypatch.setattr(slack.requests, "post", lambda url, **kw: sent.update(kw, url=url))
    slack.post("https://example.test/", "a&b", user_name="grace")
    assert sent["url"] == "https://example.test/"
    assert sent["data"]["text"] == "a&b"
    assert float(sent["data"]["timestamp"]) > 0
    assert sent["timeout"] > 29  # longer than API Gateway waits
