"""Tags many tokens and tells how memory grows: `python -m tests.stress.soak Tagger 1000000 0`."""

import gc
import os
import random
import sys
from pathlib import Path

from ..util import TEXTS, trained_nlp

STATM = Path("/proc/self/statm")


def memory():
    """RETURNS (int): The megabytes of this process that are in memory."""
    gc.collect()
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


def make_texts(numbers, *, new=1):
    """RETURNS (list): Texts of all lengths. Each has so many words that no other has."""
    known = " ".join(TEXTS).split()
    words = (numbers.choices(known, k=numbers.randrange(1, 120)) for _ in range(500))
    return [
        " ".join([*(f"{numbers.getrandbits(40):x}" for _ in range(new)), *each]) for each in words
    ]


def soak(architecture, tokens, seed):
    """Tag in memory zones, as a server does.

    RETURNS (list): The memory after each tenth of the tokens.
    """
    nlp, _ = trained_nlp(architecture=architecture)
    numbers, total, found = random.Random(seed), 0, []
    while len(found) < 10:
        with nlp.memory_zone():
            total += sum(len(doc) for doc in nlp.pipe(make_texts(numbers)) if doc[0].tag_)
        while len(found) < 10 and total >= (len(found) + 1) * tokens / 10:
            found.append(memory())
    return found


if __name__ == "__main__":
    print(*soak(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
