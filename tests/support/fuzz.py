"""How long the generated tests go on: briefly and the same each time in CI, long and random in the nightly profile."""

import os

from hypothesis import HealthCheck, Phase, settings

NIGHTLY = os.environ.get("SEALWRIGHT_FUZZ") == "nightly"


def examples(number: int) -> settings:
    """`number` examples in CI, forty times as many at night (SEALWRIGHT_FUZZ=nightly)."""
    return settings(
        max_examples=number * 40 if NIGHTLY else number,
        derandomize=not NIGHTLY,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate] + ([Phase.shrink] if NIGHTLY else []),
        database=None,
    )
