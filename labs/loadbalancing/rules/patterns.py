"""Wildcards and regular expressions as a load balancer reads them.

Source: Application Load Balancer guide, "Listener rules" (which features of regular expressions
are not supported) and "Condition types for listener rules" (wildcards).
"""

import fnmatch
import re
from collections.abc import Callable, Sequence

#: Whether a text matches.
Match = Callable[[str], object]


class UnsupportedPattern(ValueError):
    """A regular expression that AWS does not take, or that could keep the mock busy for ever."""


def glob(pattern: str, ignore_case: bool) -> Match:
    """A pattern with * (any number of characters) and ? (exactly one); the rest is literal.

    fnmatch never goes back over a * that it has passed, so no text can make it slow. It knows
    [sets] too; a load balancer does not, so an opening bracket is written as a set of its own.
    """
    return compile_glob(pattern.replace("[", "[[]"), ignore_case)


def query_glob(pattern: str) -> Match:
    r"""A `glob` for query strings: case does not matter, \* and \? are the characters themselves.

    Source: ELB API, QueryStringConditionConfig.
    """
    return compile_glob(re.sub(r"\\([*?])|\[", lambda at: f"[{at[1] or '['}]", pattern), True)


def compile_glob(pattern: str, ignore_case: bool) -> Match:
    flags = re.ASCII | re.IGNORECASE if ignore_case else re.ASCII
    return re.compile(fnmatch.translate(pattern), flags).match


def regex(pattern: str, ignore_case: bool) -> Match:
    """A regular expression, found anywhere in the text unless ^ and $ bind it."""
    return compile_regex(pattern, ignore_case).search


def compile_regex(pattern: str, ignore_case: bool = False) -> re.Pattern[str]:
    """Python's own, without what AWS does not support: raises UnsupportedPattern.

    Unlike the engines that leave out the same features (RE2, for one), Python's goes back and
    tries again. So a repeated group that holds another repeat or an alternative, as in (a+)+, is
    refused here and not on AWS. What is left takes polynomial time, on texts of 16 kB at most.
    """
    check(pattern)
    try:
        return re.compile(pattern, re.ASCII | (re.IGNORECASE if ignore_case else 0))
    except (re.error, ValueError, OverflowError, RecursionError) as wrong:
        raise UnsupportedPattern(f"{pattern!r} is not a regular expression: {wrong}.") from None


TOKEN = re.compile(
    r"""(?P<backreference>\\[1-9]|\(\?P=)|(?P<property>\\[pP])|\\.
    |\[\^?\]?(?:\\.|[^\]\\])*\]
    |(?P<look>\(\?<?[=!])|(?P<atomic>\(\?>)|(?P<flags>\(\?[ims-]+\))
    |(?P<open>\(\?(?:P<\w+>|[ims-]*:)|\((?!\?))|(?P<other>\(\?)
    |(?P<close>\))|(?P<repeat>(?:[*+?]|\{\d*,?\d*\})[+?]?)|(?P<alternative>\|)|.""",
    re.VERBOSE | re.DOTALL,
)
REFUSED = {
    "backreference": "a backreference",
    "property": "a Unicode character class",
    "look": "a look-ahead or look-behind",
    "atomic": "an atomic group",
    "other": "an extension such as a condition, a recursion or a comment",
}


def check(pattern: str) -> None:
    """Raise UnsupportedPattern for what AWS refuses and for what could take for ever."""
    branching = [False]  # for each open group: whether its content can match in several ways
    closed = False  # whether such a group has ended right before this token
    for token in TOKEN.finditer(pattern):
        kind, just_closed, closed = token.lastgroup, closed, False
        if kind in REFUSED:
            raise UnsupportedPattern(f"{pattern!r} has {REFUSED[kind]}, which ALBs do not support.")
        if kind == "open":
            branching.append(False)
        elif kind == "close" and len(branching) > 1:
            closed = branching.pop()
            branching[-1] |= closed
        elif kind == "alternative":
            branching[-1] = True
        elif kind == "repeat":
            if len(token[0]) > 1 and token[0].endswith("+"):
                raise UnsupportedPattern(
                    f"{pattern!r} has a possessive quantifier, which ALBs do not support."
                )
            if just_closed and not token[0].startswith("?"):
                raise UnsupportedPattern(
                    f"{pattern!r} repeats a group that repeats or has alternatives inside. AWS "
                    "takes that; the mock does not, since some texts would keep it busy for ever."
                )
            branching[-1] |= not re.fullmatch(r"\{\d+\}", token[0])  # {3} matches in one way


def either(matches: Sequence[Match]) -> Match:
    """Whether one of several matches. A single one, as in most rules, costs no loop."""
    if len(matches) == 1:
        return matches[0]
    return lambda text: any(match(text) for match in matches)
