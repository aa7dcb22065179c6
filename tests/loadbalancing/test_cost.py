"""What a request costs: measured by processes of their own, and read from the benchmark."""

import pytest

from labs.loadbalancing import cost
from labs.loadbalancing.cost import Costs

HEAD = "date,commit,machine,size,name,value,unit,n\n"


def row(date: str, who: str, value: float, what: str = "keep_alive.32.cpu") -> str:
    return f"{date}T10:00:00Z,abc,a laptop,default,proxy.{who}.{what},{value},us,100\n"


@pytest.fixture
def table(tmp_path):
    def write(*rows: str):
        path = tmp_path / "benchmarks.csv"
        path.write_text(HEAD + "".join(rows), encoding="utf-8")
        return path

    return write


def test_both_proxies_use_processor_time_and_end():
    found = cost.measure(requests=160, clients=4)
    assert found.layer4 > 0
    assert found.layer7 > 0
    assert found.source == "here, now"


def test_a_proxy_that_cannot_start_says_so():
    with (
        cost.server() as port,
        pytest.raises(RuntimeError, match="ended with exit code"),
        cost.program("4", f"{port} too many"),
    ):
        pass


def test_the_newest_run_with_both_counts(table):
    path = table(
        row("2026-01-01", "layer4", 1),
        row("2026-01-01", "layer7", 2),
        row("2026-03-01", "layer4", 10),
        row("2026-03-01", "layer7", 20),
        row("2026-02-01", "layer4", 5),
        row("2026-02-01", "layer7", 6),
        row("2026-04-01", "layer4", 7),
        row("2026-03-01", "layer4", 99, what="close.32.cpu"),
    )
    found = cost.published("layer4", "layer7", path)
    assert found == Costs(10, 20, "2026-03-01, a laptop")
    assert found.ratio == 2


def test_no_run_with_both_is_named(table):
    path = table(row("2026-01-01", "haproxy_tcp", 1))
    with pytest.raises(LookupError, match=r"haproxy_tcp.*haproxy_http"):
        cost.published("haproxy_tcp", "haproxy_http", path)
