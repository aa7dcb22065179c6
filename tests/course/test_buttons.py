"""After a failed check, the buttons do what the typed calls do."""

import pytest

from labs.course import buttons, check, exercise, notebook, standing
from labs.exercises import find


@pytest.fixture
def shown(monkeypatch):
    """What would be shown as widgets."""
    shown = []
    monkeypatch.setattr(notebook, "is_in_notebook", lambda: True)
    monkeypatch.setattr(buttons, "show_widget", lambda *what: shown.append(what))
    return shown


def test_a_failed_check_offers_hint_and_reveal(shown):
    check("99.1", 5)
    ((box, text),) = shown
    assert text == 'Type hint("99.1") or reveal("99.1")'
    (row, place) = box.children
    hint_button, reveal_button = row.children
    assert (hint_button.description, reveal_button.description) == ("Hint", "Reveal")
    reveal_button.click()
    assert "still closed" in place.value
    hint_button.click()
    assert "How many is two?" in place.value
    hint_button.click()
    reveal_button.click()
    assert "two and two" in place.value
    assert standing.of("99.1").hints == 2


def test_buttons_of_an_older_cell_still_work(shown):
    for answer in (5, 6):
        check("99.1", answer)
    for box, _ in shown:
        row, place = box.children
        row.children[0].click()
        assert "Hint 1" in place.value


@pytest.mark.parametrize("answer", [4, None])
def test_nothing_is_offered_to_who_needs_none(shown, answer):
    check("99.1", answer)
    assert shown == []


def test_without_widgets_the_block_names_the_calls(capsys):
    check("99.1", 5)
    assert 'hint("99.1")' in capsys.readouterr().out


def test_an_export_shows_the_calls_in_place_of_the_buttons(monkeypatch):
    import IPython.display
    import ipywidgets

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    buttons.show_widget(ipywidgets.Button(), "Type this")
    assert shown[0]["text/plain"] == "Type this"
    assert "application/vnd.jupyter.widget-view+json" in shown[0]


def test_hint_by_call_and_by_button_count_together():
    exercise.next_hint(find("99.1"))
    assert "hint 2 of 2" in exercise.next_hint(find("99.1")).headline
