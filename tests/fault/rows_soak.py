"""Row 24: whatever can happen, in no order."""

from scenario import Scenario
from soak import anything

SCENARIOS = [
    Scenario(24, "whatever can happen, in no order", processes=3, stand="proxied", aborts=True,
             faults=[anything(600)], quick=[anything(60)]),
]
