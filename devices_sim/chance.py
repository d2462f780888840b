"""Chance without memory: a draw follows from a seed and what it is for, so a restarted world goes on identically."""

import hashlib
import random


def number(seed: int, *what: object) -> int:
    """64 bits that depend on the seed and on what they are for."""
    digest = hashlib.blake2b(repr((seed, what)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def draws(seed: int, *what: object) -> random.Random:
    """A generator of its own for one purpose, e.g. `draws(seed, "day", device, 739000)`."""
    return random.Random(number(seed, *what))


def unit(seed: int, *what: object) -> float:
    """One uniform number in [0, 1)."""
    return number(seed, *what) / 2**64


def smooth(seed: int, what: object, position: float) -> float:
    """Noise in [-1, 1] that changes slowly: independent at whole positions, a straight line between them."""
    whole = int(position // 1)
    part = position - whole
    before, after = unit(seed, what, whole), unit(seed, what, whole + 1)
    return 2 * (before * (1 - part) + after * part) - 1
