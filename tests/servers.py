"""HTTP servers of tests, which run beside the test that talks to them."""

import contextlib
import threading


@contextlib.contextmanager
def running(server):
    """Serve in a thread until the block ends. `server.released` is set then: slow answers end."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()
