"""What every lesson uses: exercises, predictions and quizzes; packing a function, reading its log.

`figures`, `results` and `syllabus` are modules, imported by who needs them: drawing costs half a
second.
"""

from labs.course.catching_up import catch_up
from labs.course.exercise import check, hint, reveal, unlock
from labs.course.logs import log
from labs.course.overview import progress
from labs.course.packaging import package
from labs.course.predicting import predict, prediction
from labs.course.quizzes import quiz

__all__ = [
    "catch_up",
    "check",
    "hint",
    "log",
    "package",
    "predict",
    "prediction",
    "progress",
    "quiz",
    "reveal",
    "unlock",
]
