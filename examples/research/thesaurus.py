"""Words that programmers use for one another. The corpus adds what stands near the question's words."""

from __future__ import annotations

from functools import cache

from examples.research.text import stem

__all__ = ["synonyms"]

_GROUPS = """
run execute start spawn launch invoke
call invoke
stop terminate kill end shutdown
capture collect catch read
catch handle except
error exception failure
throw raise
folder directory
remove delete unlink
make create build construct
copy duplicate clone
change modify update
find search locate
match pattern regex regular
replace substitute substitution
show print display
parse decode load deserialize
save write dump store serialize
convert cast transform
wait block join
timeout deadline expire
parallel concurrent simultaneous
lock mutex synchronize
memory allocation heap
clean cleanup release free finalize
garbage collector unreachable
close release shutdown
iterate loop traverse
sort order
list array sequence
dictionary dict mapping hash
text string str
number integer float numeric
function callable method
argument parameter option
command program executable
file path
network socket connection
download fetch retrieve
date datetime time
random pseudorandom
compress gzip zip archive
log logging logger
test unittest assert
environment environ variable
cache memoize lru
copy deepcopy shallow
inherit subclass derive
decorator wrapper
async asynchronous coroutine asyncio
process subprocess
fast speed performance efficient
measure profile timing
"""


@cache
def synonyms(term: str) -> tuple[str, ...]:
    """The stems of the words that can stand for the stem `term`; none for a word it does not know."""
    found: dict[str, None] = {}
    for line in _GROUPS.split("\n"):
        group = [stem(word) for word in line.split()]
        if term in group:
            found.update(dict.fromkeys(other for other in group if other != term))
    return tuple(found)
