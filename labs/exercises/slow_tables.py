"""Tables that take their time, as on AWS: the mock's can be used at once, so that nobody would see
who does not wait.
"""

from typing import Any

from labs.exercises import NotYet


class SlowTables:
    """A client for which a new table is CREATING until it has been asked about twice.

    calls: the operations that were called.  told: the status that the caller heard last.

    Source: DynamoDB API, CreateTable: it answers CREATING, and only an ACTIVE table can be used.
    """

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name
        self.calls: list[str] = []
        self.told = "not there"
        self._looks = 0
        self._get_waiter = client.get_waiter
        client.get_waiter = self.get_waiter
        events = client.meta.events
        events.register("provide-client-params.dynamodb.*", self.before)
        events.register("after-call.dynamodb.CreateTable", self.created)
        events.register("after-call.dynamodb.DescribeTable", self.described)

    def before(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        """Note the call. Another table is none of the function's business, and never comes."""
        self.calls.append(model.name)
        table = params.get("TableName", self.name)
        if isinstance(table, str) and table.rpartition("/")[2] != self.name:
            raise NotYet(
                found=f"{model.name} for a table {table!r}, and your function was given"
                f" {self.name!r}",
                expected="calls about the table whose name is the second parameter",
                look_at="each `TableName` in your function.",
            )

    def created(self, parsed: dict[str, Any], **_: Any) -> None:
        """As on AWS, the answer to CreateTable is not yet a table."""
        if "TableDescription" in parsed:
            self.told = parsed["TableDescription"]["TableStatus"] = "CREATING"

    def described(self, parsed: dict[str, Any], **_: Any) -> None:
        """The first look comes too early."""
        if "Table" in parsed:
            self._looks += 1
            if self._looks == 1:
                parsed["Table"]["TableStatus"] = "CREATING"
            self.told = parsed["Table"]["TableStatus"]

    def get_waiter(self, kind: str) -> Any:
        """The waiter, which looks often instead of every 20 s: a check should not take that."""
        if kind != "table_exists":
            raise NotYet(
                found=f"a waiter for `{kind}`",
                expected="one that waits until the table can be used",
                look_at="`dynamodb.waiter_names`, and the waiter above.",
            )
        waiter = self._get_waiter(kind)
        waiter.config.delay, waiter.config.max_attempts = 0.1, 600
        return waiter
