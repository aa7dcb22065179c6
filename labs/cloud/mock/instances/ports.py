"""Which ports the processes of an instance have bound, and where they really listen."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Binding:
    """A socket of an instance.

    owner:  the connection of the process that bound it.
    port:   of the instance. real: of this machine's loopback; 0 before it is known.
    scope:  "any" address, "local" (127.0.0.1), or the instance's "address".
    spaces: 4 and 6, the IP versions whose ports it takes.
    shared: others that are, too, may bind the same port (SO_REUSEPORT).
    """

    owner: Hashable
    port: int
    scope: str
    spaces: frozenset[int]
    shared: bool = False
    real: int = 0
    listens: bool = False

    def same_port(self, other: "Binding") -> bool:
        """Whether a machine would give the two of them the same port."""
        scopes = {self.scope, other.scope}
        return (
            self.port == other.port
            and bool(self.spaces & other.spaces)
            and (len(scopes) == 1 or "any" in scopes)
        )


class Ports:
    """The bindings of one instance. One thread changes them; any may read."""

    def __init__(self) -> None:
        self._bindings: tuple[Binding, ...] = ()  # replaced as a whole, so readers need no lock

    def bind(self, wanted: Binding) -> int | None:
        """Take a port: the real port to share with its holders, or 0; None if it is taken."""
        holders = [binding for binding in self._bindings if binding.same_port(wanted)]
        if holders and not (wanted.shared and all(holder.shared for holder in holders)):
            return None
        self._bindings = (*self._bindings, wanted)
        return next((holder.real for holder in holders if holder.real), 0)

    def bound(self, owner: Hashable, port: int, spaces: Iterable[int], real: int) -> None:
        """The latest binding of this port and owner has this real port."""
        self._change(owner, port, spaces, lambda binding: replace(binding, real=real))

    def listen(self, owner: Hashable, port: int, spaces: Iterable[int]) -> None:
        """A socket listens. One that a forked process inherited is its parent's binding."""
        self._change(owner, port, spaces, lambda binding: replace(binding, listens=True))

    def close(self, owner: Hashable, port: int, spaces: Iterable[int]) -> None:
        """The owner has closed its last socket of this port."""
        wanted = frozenset(spaces)
        self._bindings = tuple(
            binding
            for binding in self._bindings
            if (binding.owner, binding.port, binding.spaces) != (owner, port, wanted)
        )

    def drop(self, owner: Hashable) -> bool:
        """The owner has ended; whether it had a port that listened."""
        gone = [binding for binding in self._bindings if binding.owner == owner]
        self._bindings = tuple(binding for binding in self._bindings if binding.owner != owner)
        return any(binding.listens for binding in gone)

    def where(self, port: int, space: int, local: bool) -> int | None:
        """The real port at which the instance itself finds a port of its own.

        local: it calls 127.0.0.1 or ::1, not its address.
        """
        hidden = "address" if local else "local"
        for binding in self._bindings:
            if (
                binding.listens
                and binding.port == port
                and space in binding.spaces
                and binding.scope != hidden
            ):
                return binding.real
        return None

    def at(self, real: int) -> Binding | None:
        """The binding of a real port."""
        return next((binding for binding in self._bindings if binding.real == real), None)

    def reachable(self) -> dict[int, int]:
        """Real ports, by the ports at which the instance's address answers (IPv4)."""
        return {
            binding.port: binding.real
            for binding in reversed(self._bindings)
            if binding.listens and 4 in binding.spaces and binding.scope != "local"
        }

    def _change(self, owner, port, spaces, changed) -> None:  # type: ignore[no-untyped-def]
        wanted = (port, frozenset(spaces))
        matching = [b for b in self._bindings if (b.port, b.spaces) == wanted]
        chosen = [b for b in matching if b.owner == owner] or matching
        if chosen:
            self._bindings = tuple(changed(b) if b is chosen[-1] else b for b in self._bindings)
