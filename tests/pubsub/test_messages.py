"""The channel of lesson 32 is the same for everybody, and says what its experiment counts."""

from labs.pubsub import messages, slack


def test_the_file_is_what_its_program_writes():
    """Nobody edits it by hand, and a change of the program shows."""
    assert messages.file().read_text(encoding="utf-8") == messages.as_lines(messages.messages())


def test_each_message_is_one_that_slack_can_post():
    for message in messages.load():
        assert set(message) == {"user_name", "text"}
        form = slack.form(message["text"], user_name=message["user_name"])
        assert form["trigger_word"] == messages.TRIGGER_WORD


def test_even_a_few_messages_say_coffee_and_repeat_words_within_a_message():
    few = [message["text"].split() for message in messages.load(32)]
    assert len(few) == 32
    assert sum(words.count("coffee") for words in few) >= 10
    assert any(len(set(words)) < len(words) for words in few)
