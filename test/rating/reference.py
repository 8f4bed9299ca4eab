#!/usr/bin/env python3
"""Recomputes golden.json with Python's own fractions, independently of the product's code:

    python3 test/rating/reference.py test/rating/golden.json

amount = round_half_even(quantity / base_per_hour * rate * share * 10^minor_digits), once per line.
"""
import json
import sys
from fractions import Fraction


def half_even(value):
    floor = value.numerator // value.denominator
    rest = value - floor
    if rest > Fraction(1, 2) or (rest == Fraction(1, 2) and floor % 2 == 1):
        return floor + 1
    return floor


def check(case):
    got = []
    for line in case["lines"]:
        price = Fraction(line["rate"]) * Fraction(line["share"]) * 10 ** case["minor_digits"]
        got.append(half_even(Fraction(int(line["quantity"]), int(line["base_per_hour"])) * price))
    return got == [int(line["amount_minor"]) for line in case["lines"]] and sum(got) == int(case["total_minor"])


cases = json.load(open(sys.argv[1]))["cases"]
wrong = [case["name"] for case in cases if not check(case)]
print(f"{len(cases) - len(wrong)} passed, {len(wrong)} failed")
sys.exit(1 if wrong else 0)
