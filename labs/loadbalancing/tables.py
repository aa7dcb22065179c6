"""A table for people: whole texts, and a heading for every column, which a screen reader says."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, repr=False)
class Table:
    """Shows a frame's columns, without its index: pandas gives that an empty heading."""

    frame: "DataFrame"

    def __repr__(self) -> str:
        return self.frame.to_string(index=False)

    def _repr_html_(self) -> str:
        from pandas import option_context  # here: a set-up cell should not wait for it

        with option_context("display.max_colwidth", None):
            page = self.frame.to_html(index=False, justify="left", border=0)
        return page.replace("<td>", '<td style="text-align: left">')  # JupyterLab's is right


def table(rows: list[tuple[str, ...]], columns: list[str]) -> Table:
    """A table of these rows. Raises ValueError for a row of another length."""
    from pandas import DataFrame

    return Table(DataFrame(rows, columns=columns))
