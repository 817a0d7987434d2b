"""Files come side by side: the server holds ten requests until all ten are there."""

import hashlib
import threading

from support.fetching import PATIENT
from support.web import Answer, Request, serving

from sealwright.files.web import Web
from sealwright.files.web_route import WebSettings
from sealwright.model.offer import Listing, Offer
from sealwright.store.places.credentials import OriginCredentials
from sealwright.store.places.fetch_plan import Offered
from sealwright.store.places.fetching import fetched_release
from sealwright.store.places.place import Rules

AT_ONCE = 10


def test_ten_transfers_and_no_more_at_once() -> None:
    names = [f"many-1.0-{number}-py3-none-any.whl" for number in range(AT_ONCE + 2)]
    gate, lock = threading.Barrier(AT_ONCE), threading.Lock()
    came = there = most = 0

    def answer(request: Request) -> Answer:
        """Fail, as a barrier does that is waited for in vain, if the first ten do not come together."""
        nonlocal there, most, came
        with lock:
            came, there = came + 1, there + 1
            most, first = max(most, there), came <= AT_ONCE
        if first:
            gate.wait(50)
        with lock:
            there -= 1
        return Answer(request.path.encode())

    with serving() as web, Web(WebSettings(), OriginCredentials(), PATIENT._replace(connect=60, stall=60)) as client:
        for name in names:
            web[f"/{name}"] = answer
        offers = tuple(Offer(name, f"{web.url}/{name}") for name in names)
        here = Listing("here", offers)
        with fetched_release(Offered(here, here), client, Rules(), "many 1.0") as release:
            found = {file.name: file.sha256 for file in release.files}
    assert found == {name: hashlib.sha256(f"/{name}".encode()).hexdigest() for name in names}
    assert most == AT_ONCE
