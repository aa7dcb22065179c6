"""JupyterLab that ends with its owner: `python -m labs.commands.server [JupyterLab options]`.

`jupyter.running` starts it with a pipe as standard input. When the owner closes the pipe or dies,
however it dies, the pipe ends, and the server stops its kernels, its terminals and itself. Signals
could not do that: none is sent for a killed owner, and Windows has none that fits.
"""

import os
import shutil
import sys
import threading

from labs.commands.folders import short_temporary_folder


def main(options: list[str]) -> None:
    """Serve until the owner goes, with connection files and sockets in a folder of our own."""
    runtime = short_temporary_folder()
    os.environ["JUPYTER_RUNTIME_DIR"] = str(runtime)
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # our kernel, not one of the user's of that name
    from jupyterlab.labapp import LabApp  # reads both

    try:
        server = LabApp.initialize_server(options)
        threading.Thread(target=stop_with_owner, args=(server,), daemon=True).start()
        server.start()
    finally:
        shutil.rmtree(runtime, ignore_errors=True)


def stop_with_owner(server: object) -> None:
    """Wait for the end of the pipe, then ask the server's loop to stop."""
    sys.stdin.buffer.read()
    server.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
