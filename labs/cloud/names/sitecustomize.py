"""Python children of a mock-mode kernel get the address book; then the sitecustomize we hide.

Processes of an instance get its ports, too (`labs_instance`).

Python imports the first `sitecustomize` on its path at start. The folder of this file comes first
on PYTHONPATH, so one that the machine had (a coverage tool's, a distribution's) runs from here.
"""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

_FOLDER = os.path.split(os.path.realpath(__file__))[0]


if os.environ.get("LABS_ADDRESS_BOOK"):
    import labs_names

    labs_names.install()
    if os.environ.get("LABS_INSTANCE"):
        import labs_instance

        labs_instance.install()

_others = [entry for entry in sys.path if os.path.realpath(entry or os.curdir) != _FOLDER]
_hidden = PathFinder.find_spec("sitecustomize", _others)
if _hidden and _hidden.loader:
    _hidden.loader.exec_module(module_from_spec(_hidden))
