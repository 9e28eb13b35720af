"""Invents people: names, birthdays and document numbers that nobody can have. Pure."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

#: Weights of the check digit (GB 11643-1999), and the digit by the remainder of the sum.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林罗高郑梁谢宋唐许邓韩冯曹"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华建文辉玲欣怡子涵浩宇晨"
#: The day before the story: whoever is how old is counted from here.
_EVE = date(2020, 2, 2)
_YEAR = 365.25


def document_number(born_on: date, sequence: int, edition: int = 0) -> str:
    """A number with a valid check digit and an area code that was never assigned (99….).

    Such a number cannot belong to a real person. An odd `sequence` is a man's.
    """
    body = f"99{edition:04d}{born_on:%Y%m%d}{sequence:03d}"
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True))
    return body + _CHECK[total % 11]


class Inventor:
    """Draws people from a seed; no two get the same number."""

    def __init__(self, seed: int, edition: int) -> None:
        self.chance = random.Random(seed)
        self._edition = edition
        self._born: Counter[tuple[date, bool]] = Counter()

    def birthday(self, youngest: int, oldest: int) -> date:
        """A birthday of somebody between two ages."""
        days = self.chance.randint(int(youngest * _YEAR) + 1, int(oldest * _YEAR))
        return _EVE - timedelta(days=days)

    def name(self) -> str:
        """A common name."""
        given = self.chance.sample(_GIVEN, self.chance.choice((1, 2, 2)))
        return self.chance.choice(_SURNAMES) + "".join(given)

    def number(self, born_on: date, *, male: bool) -> str:
        """The next free document number of somebody born on that day."""
        self._born[born_on, male] += 1
        sequence = 2 * self._born[born_on, male] - (1 if male else 0)
        return document_number(born_on, sequence, self._edition)


def age_on(born_on: date, day: date) -> int:
    """Full years on `day`."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))
