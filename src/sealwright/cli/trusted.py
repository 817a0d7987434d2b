"""What an end user's verification trusts, once it is found."""

from pathlib import Path
from typing import TYPE_CHECKING

from sealwright.model.record import Record

if TYPE_CHECKING:
    from sealwright.model.pin import Pin
    from sealwright.store.trust_folder import TrustFolder


class Trusted(Record):
    """A trust folder, the pin that it came from (None: a person named it), and whose data folder remembers."""

    trust: "TrustFolder"
    pin: "Pin | None"
    data: Path
