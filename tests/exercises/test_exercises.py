"""Every lesson's exercises are whole: what an author forgets, a learner misses."""

import ast

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from labs import exercises
from labs.course import answers, notebook
from labs.exercises import KINDS, NoSuchExercise, NotYet

EVERY = [exercise for number in exercises.lessons() for exercise in exercises.of_lesson(number)]


@pytest.fixture(params=EVERY, ids=lambda exercise: exercise.id)
def exercise(request):
    return request.param


def test_it_is_found_by_its_id(exercise):
    assert exercises.find(exercise.id) is exercise
    assert exercise.kind in KINDS


def test_help_is_complete(exercise):
    assert exercise.title.strip()
    assert len(exercise.hints) >= 2
    assert len(set(exercise.hints)) == len(exercise.hints)
    assert all(len(hint.split()) >= 4 for hint in exercise.hints)


def test_answers_are_complete(exercise):
    """Two right ones, three wrong ones, each with a message, and no two the same."""
    assert len(exercise.also) >= 1
    assert len(exercise.wrong) >= 3
    sources = [exercise.solution, *exercise.also, *exercise.wrong]
    assert len({source.strip() for source in sources}) == len(sources)
    assert all(len(message) >= 3 for message in exercise.wrong.values())


def test_right_answers_are_python(exercise):
    for source in (exercise.solution, *exercise.also):
        ast.parse(TransformerManager().transform_cell(source))


def test_a_solution_says_why(exercise):
    assert "#" in exercise.solution


def test_no_hint_is_the_solution(exercise):
    for hint in exercise.hints:
        assert exercise.solution.strip() not in hint


def test_an_answer_is_no_call_of_ours(exercise):
    """Or tries could not be told apart by the source of the cell."""
    assert not any(map(answers.is_ours, (exercise.solution, *exercise.wrong)))


@pytest.mark.parametrize("number", exercises.lessons())
def test_ids_are_of_their_lesson_and_needs_of_its_sections(number):
    module = exercises.lesson(number)
    ids = [exercise.id for exercise in module.EXERCISES]
    assert len(set(ids)) == len(ids)
    assert all(exercises.lesson_of(key) == number for key in (*ids, *module.NEEDS))
    assert all(type(names) is tuple for names in module.NEEDS.values())


@pytest.mark.parametrize("number", exercises.lessons())
def test_each_exercise_has_its_stub(number):
    assert [exercise.id for exercise in exercises.of_lesson(number)] == [
        cell.exercise for cell in notebook.code_cells(number) if cell.exercise
    ]


def test_a_lesson_without_exercises_has_none():
    assert exercises.lesson("98") is None
    assert exercises.of_lesson("98") == ()
    assert exercises.needs("98.1") == ()
    assert exercises.is_ready(None, "98.1") is None


@pytest.mark.parametrize("wrong_id", ["", "31", "31.", ".1", "3.1", "31.1 ", None, 31.1, ...])
def test_what_is_no_id_says_what_one_looks_like(wrong_id):
    with pytest.raises(NoSuchExercise, match=r"31\.1"):
        exercises.lesson_of(wrong_id)


def test_what_is_found_becomes_text():
    assert NotYet(found=3, expected=None, look_at=["a"]).look_at == "['a']"
