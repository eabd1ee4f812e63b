"""Shares with their intervals, and what is right in each of the zoo's modes."""

import math

NOTHING = "none"


def interval(hits, of):
    """Wilson's 95% interval of a share."""
    if of == 0:
        return (0, 1)
    z = 1.96
    p = hits / of
    centre = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return (max(0.0, centre - half), min(1.0, centre + half))


def share(hits, of):
    low, high = interval(hits, of)
    return f"{hits}/{of} = {hits / of:.1%} ({low:.1%} to {high:.1%})" if of else "no runs"


def ratio(name, hits, of):
    """A figure for build/bench/zoo.json, or none where nothing was run."""
    return {name: hits / of} if of else {}


def right_cause(case, cause):
    return cause in case.causes if case.causes else cause in (NOTHING, *case.tolerated)


def right_line(case, key):
    """Whether a line of the ledger is one that the case's mistake makes longer."""
    return any(key.startswith(line) if line.endswith(".") else key == line for line in case.lines)


def both_told(case, findings):
    """Whether both mistakes are among the first three findings."""
    first = set(findings[:3])
    return bool(first & set(case.causes)) and bool(first & set(case.also))
