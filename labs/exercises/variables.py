"""Change a function's environment variables for as long as a check needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def other_variables(aws: Any, function: str, **changed: str) -> Iterator[None]:
    """While the block runs, some variables of the function have other values."""
    functions = aws.client("lambda")

    def use(variables: dict[str, str]) -> None:
        functions.update_function_configuration(
            FunctionName=function, Environment={"Variables": variables}
        )
        functions.get_waiter("function_updated_v2").wait(FunctionName=function)

    configuration = functions.get_function_configuration(FunctionName=function)
    before = configuration["Environment"]["Variables"]
    use(before | changed)
    try:
        yield
    finally:
        use(before)
