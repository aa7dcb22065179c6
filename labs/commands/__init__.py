"""The commands of the course: `python3 -m labs lab | test | run | doctor | reset`.

`dispatch` picks one, `environment_setup` makes the Python environment it runs in. Everything that
is imported before that environment exists is standard library only: the files `dispatch`,
`environment_setup`, `folders`, `locking`, and the top of each command's own file.
"""


class Problem(Exception):
    """Something the person at the keyboard can mend: shown as it is, without a traceback."""
