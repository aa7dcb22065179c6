"""The addresses of balancers: in each of their subnets a private one and, facing the internet, a
public one. They are theirs from creation to deletion, as on AWS an NLB's are."""

from collections.abc import Callable, Iterable
from typing import Any


class Addresses:
    """Draws addresses when a balancer is first seen, and gives them back when it has gone.

    take, give_back: of the world's public documentation addresses.
    """

    def __init__(self, take: Callable[[], str], give_back: Callable[[str], None]) -> None:
        self._take, self._give_back = take, give_back
        self._private: dict[tuple[str, str], tuple[Any, str]] = {}
        self._public: dict[tuple[str, str], str] = {}

    def private(self, balancer: str, subnet: Any) -> str:
        """The balancer's address in moto's subnet, which moto gives to nobody else."""
        key = (balancer, subnet.id)
        if key not in self._private:
            self._private[key] = (subnet, subnet.get_available_subnet_ip(balancer))
        return self._private[key][1]

    def public(self, balancer: str, subnet: Any) -> str:
        """The address under which the internet sees the balancer there."""
        key = (balancer, subnet.id)
        if key not in self._public:
            self._public[key] = self._take()
        return self._public[key]

    def keep(self, used: Iterable[tuple[str, str]]) -> None:
        """Give back what belongs to no (balancer, subnet id) of these."""
        kept = set(used)
        for key in self._private.keys() - kept:
            subnet, address = self._private.pop(key)
            subnet.del_subnet_ip(address)
        for key in self._public.keys() - kept:
            self._give_back(self._public.pop(key))

    def reset(self) -> None:
        """Forget all: the subnets have gone, too."""
        for address in self._public.values():
            self._give_back(address)
        self._private, self._public = {}, {}
