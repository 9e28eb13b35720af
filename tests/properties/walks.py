"""What all properties share: walks beside a table of moves, and deliveries in any order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from lianfang.errors import IllegalTransition, Rejected

A = TypeVar("A")
M = TypeVar("M")

#: The act is heard and has nothing to add: the same thing comes back.
SAME = object()

#: For examples on a real database, which take a hundred times longer; the night has the time.
COSTLY = settings(max_examples=100) if settings.default.max_examples < 1000 else settings.default

#: From which state an act leads to which; what is not listed has to be refused.
Moves = Mapping[Any, Mapping[str, Any]]


def paths(acts: Iterable[str], rarely: Iterable[str] = ()) -> st.SearchStrategy[list[str]]:
    """Any acts in any order, most of them out of place; what ends a life comes `rarely`."""
    seldom = sorted(rarely)
    often = sorted(set(acts) - set(seldom))
    return st.lists(st.sampled_from(often * 4 + seldom), min_size=10, max_size=40)


def walk(
    start: A,
    path: Sequence[str],
    acts: Mapping[str, Callable[[A], A]],
    moves: Moves,
    *,
    state_of: Callable[[A], Any] = attrgetter("state"),
    refusals: tuple[type[Rejected], ...] = (IllegalTransition,),
    unnumbered: Collection[str] = (),
) -> list[A]:
    """Every stage of `start` along `path`; after each act the thing is where `moves` says.

    A move is one revision, unless it is `unnumbered`; what is refused or repeated is none.
    """
    stages: list[Any] = [start]
    for name in path:
        thing, act = stages[-1], acts[name]
        wanted = moves[state_of(thing)].get(name)
        if wanted is None:
            with pytest.raises(refusals):
                act(thing)
            continue
        after: Any = act(thing)
        if wanted is SAME:
            assert after == thing, f"{name} of {state_of(thing)} changed something"
            continue
        assert state_of(after) == wanted, name
        assert name in unnumbered or after.revision == thing.revision + 1, name
        assert act(thing) == after, "a decision that is made again is the same"
        stages.append(after)
    return stages


def deliveries(messages: st.SearchStrategy[list[M]]) -> st.SearchStrategy[tuple[list[M], list[M]]]:
    """Some messages, and one way in which all of them may arrive: mixed, some of them again."""

    def arriving(sent: list[M]) -> st.SearchStrategy[tuple[list[M], list[M]]]:
        again = st.lists(st.sampled_from(sent), max_size=4) if sent else st.just([])
        return again.flatmap(lambda more: st.tuples(st.just(sent), st.permutations(sent + more)))

    return messages.flatmap(arriving)
