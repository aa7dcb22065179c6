"""A real JupyterLab in a real Chromium, for tests: start, open, Run All, look.

The server is started as `labs lab --no-browser` starts it, on a copy of the notebooks. What it
says is read from the notebook's model: the page holds only the cells near the visible part.
"""

import json
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as BrowserTimeout

from labs.commands import jupyter
from labs.commands.folders import build_folder
from labs.commands.lab import mock_environment

START_SECONDS = 60
CHROMIUM_OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IDLE_OR_ASKING = """() => {
    if (document.querySelector('.jp-Dialog')) return true;
    const panel = window.jupyterapp?.shell?.currentWidget;
    return panel?.sessionContext?.session?.kernel?.status === 'idle';
}"""
RUN_ALL = """async () => {
    const app = window.jupyterapp;
    await app.commands.execute('notebook:run-all-cells');
    const model = app.shell.currentWidget.content.model;
    return Array.from(model.cells, (cell, index) => ({
        index,
        id: cell.id,
        type: cell.type,
        count: cell.executionCount ?? null,
        outputs: cell.type === 'code' ? cell.outputs.toJSON() : [],
    }));
}"""


#: Begins the lesson again, for Run All has made what the exercise is about; then puts an answer
#: into its cell and runs it and the check below it.
ANSWER = """async ([id, source]) => {
    const app = window.jupyterapp;
    const notebook = app.shell.currentWidget.content;
    const cells = Array.from(notebook.model.cells);
    const index = cells.findIndex(cell => cell.id === id);
    notebook.activeCellIndex = index;
    await app.commands.execute('notebook:run-all-above');
    cells[index].sharedModel.setSource(source);
    for (const one of [index, index + 1]) {
        notebook.activeCellIndex = one;
        await app.commands.execute('notebook:run-cell');
    }
    return index + 1;
}"""
#: What a course writes itself: the rest of the page is JupyterLab's.
OURS = [[".jp-RenderedMarkdown"], [".jp-OutputArea-output"]]
THEMES = ("JupyterLab Light", "JupyterLab Dark")


@dataclass(frozen=True)
class Cell:
    """A cell as the notebook's model has it. `count` is None for text, and for code not run."""

    index: int
    id: str
    type: str
    count: int | None
    outputs: list[dict]


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab and a page in the browser."""

    url: str
    token: str
    folder: Path
    page: Page
    page_errors: list[str]
    requests_elsewhere: list[str]

    def open_notebook(self, name: str) -> None:
        """Open a notebook of the folder in a fresh workspace and wait for its kernel.

        Fails if JupyterLab asks something instead, such as which kernel to use.
        """
        self.page.goto(f"{self.url}/lab/tree/{name}?token={self.token}&reset")
        try:
            self.page.wait_for_function(IDLE_OR_ASKING, timeout=60_000)
        except BrowserTimeout as error:
            raise AssertionError(f"no idle kernel: see {self.screenshot(name)}") from error
        assert self.dialogs() == []

    def run_all(self) -> list[Cell]:
        """Run All; returns when the last cell is done."""
        return [Cell(**cell) for cell in self.page.evaluate(RUN_ALL)]

    def errors(self, cells: list[Cell]) -> list[str]:
        """What went wrong, in sentences: cells that failed or did not run, the page, a dialog."""
        found = [
            f"cell {cell.index} ({cell.id}): {output['ename']}: {output['evalue']}"
            for cell in cells
            for output in cell.outputs
            if output["output_type"] == "error"
        ]
        not_run = [cell for cell in cells if cell.type == "code" and cell.count is None]
        found += [f"cell {cell.index} ({cell.id}) did not run" for cell in not_run]
        found += [f"page error: {error}" for error in self.page_errors]
        found += [f"asked another host: {url}" for url in self.requests_elsewhere]
        return found + [f"dialog: {text}" for text in self.dialogs()]

    def dialogs(self) -> list[str]:
        """What JupyterLab asks or announces over the notebook: dialogs and notifications."""
        return self.page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts()

    def answer(self, cell_id: str, source: str) -> Locator:
        """Run all above an exercise's cell, answer it, run its check; the check's output."""
        index = self.page.evaluate(ANSWER, [cell_id, source])
        return self.output(index)

    def output(self, index: int) -> Locator:
        """What stands below a cell, brought into sight."""
        cell = self.page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{index}']")
        output = cell.locator(".jp-OutputArea").first
        output.scroll_into_view_if_needed()
        return output

    def violations(self) -> list[str]:
        """What axe objects to in rendered text and outputs, a line for each element."""
        found = Axe().run(self.page, context={"include": OURS}).response["violations"]
        return [
            f"{rule['id']}: {rule['help']}: {node['html'][:200]}"
            for rule in found
            for node in rule["nodes"]
        ]

    def screenshot(self, name: str) -> Path:
        """Keep a picture of the page under build/screenshots."""
        path = build_folder() / "screenshots" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
        return path


def chromium() -> str:
    """The path of Chromium or Chrome. Without one the test is skipped; in CI it fails."""
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome"]
    found = next(filter(None, map(shutil.which, filter(None, names))), None)
    if found:
        return found
    advice = (
        "No Chromium here. Get it with `sudo apt install chromium` (macOS: `brew install chromium`)"
        ", or set CHROMIUM to the path of a Chrome or Chromium."
    )
    if os.environ.get("CI") == "true":
        pytest.fail(advice)
    pytest.skip(advice)


@contextmanager
def jupyterlab(notebooks: Path, private: Path, theme: str = THEMES[0]) -> Iterator[Lab]:
    """JupyterLab on a copy of the folder `notebooks`; settings and log are in `private`."""
    browser_path = chromium()
    folder = private / "course"
    shutil.copytree(notebooks, folder)
    log = private / "jupyterlab.log"
    with mock_environment(os.environ) as (environ, extra), log.open("wb") as output:
        own = ["--no-browser", "--ServerApp.port=0", "--LabApp.expose_app_in_browser=True"]
        options = jupyter.options(folder, [*extra, *own])
        write_settings(private, theme)
        with jupyter.running(options, environ | private_settings(private), output) as server:
            url, token = wait_for_address(server, log)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=browser_path, args=CHROMIUM_OPTIONS
                )
                page = browser.new_page(viewport={"width": 1400, "height": 1000})
                lab = Lab(url, token, folder, page, [], [])
                watch(lab)
                yield lab
                browser.close()


def private_settings(folder: Path) -> dict[str, str]:
    """Variables that keep the user's settings and progress out of a test, and the test's in it."""
    return {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "IPYTHONDIR": str(folder / "ipython"),
        "LABS_HOME": str(folder / "home"),
    }


def write_settings(folder: Path, theme: str) -> None:
    """The theme, and every cell in the page, so that axe sees them all."""
    settings = {
        "apputils-extension/themes": {"theme": theme},
        "notebook-extension/tracker": {"windowingMode": "none"},
    }
    for name, values in settings.items():
        file = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")


def wait_for_address(server, log: Path) -> tuple[str, str]:
    """URL and token that the server prints, for people to copy, once it listens."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        said = log.read_text(encoding="utf-8", errors="replace")
        address = re.search(r"(http://127\.0\.0\.1:\d+)/lab\?token=(\w+)", said)
        if address and listens(address[1]):
            return address[1], address[2]
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start within {START_SECONDS} s:\n{log.read_text()}")


def listens(url: str) -> bool:
    """The address is printed a moment before the server listens there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))):
        return True
    return False


def watch(lab: Lab) -> None:
    """Note script errors and requests that leave this machine."""

    def note_request(request) -> None:
        if not request.url.startswith((lab.url, "data:", "blob:")):
            lab.requests_elsewhere.append(request.url)

    lab.page.on("pageerror", lambda error: lab.page_errors.append(str(error)))
    lab.page.on("request", note_request)
