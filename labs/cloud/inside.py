"""The way from `aws.trace` and `aws.faults` into the mock: what AWS has no API for."""

from typing import Any

import requests


class NotRun(RuntimeError):
    """A cell that only the mock can run was run in live mode.

    A notebook shows the message alone: there is nothing in the learner's code to look for.
    """

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Inside:
    """The mock's own door. `endpoint_url`: None in live mode, where there is none."""

    def __init__(self, endpoint_url: str | None) -> None:
        self._endpoint_url = endpoint_url

    def ask(self, method: str, path: str, what: str, **more: Any) -> Any:
        """What the mock answers under `/_labs/PATH`.

        what: the end of "AWS cannot be ...", said in live mode. more: as `requests.request` takes.
        Raises NotRun in live mode, ValueError for what the mock does not accept, RuntimeError when
        it does not answer.
        """
        if self._endpoint_url is None:
            raise NotRun(f"not run: AWS cannot be {what}")
        url = f"{self._endpoint_url}/_labs/{path}"
        try:
            answer = requests.request(method, url, timeout=30, **more)
            content = answer.json()
        except requests.RequestException as wrong:
            raise RuntimeError(
                f"The mock cloud does not answer: {wrong}. Run the set-up cell again."
            ) from None
        if answer.status_code == 400:
            raise ValueError(content["message"])
        answer.raise_for_status()
        return content
