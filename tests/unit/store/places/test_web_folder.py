"""A web folder: what counts as the page of a release, and what does not."""

import os

import pytest
from packaging.version import Version
from support.web import Answer, serving

from sealwright.errors import UndecidedError
from sealwright.store.places.network import Network
from sealwright.store.places.web_folder import WebFolder

LISTED = f"{'0' * 64}  pkg-1.0.tar.gz\n".encode()


def test_evidence_alone_is_a_folder_of_a_release() -> None:
    """The artifacts are on an index, say; a SHA256SUMS that lists nothing is a login page."""
    page = (
        b"<html><body>" + b"".join(b'<a href="%s">x</a>' % n for n in (b"SHA256SUMS", b"SHA256SUMS.asc")) + b"</body>"
    )
    with serving() as web, Network({"PIP_CONFIG_FILE": os.devnull}).web as network:
        web["/r/"] = Answer(page, headers={"Content-Type": "text/html"})
        web["/r/SHA256SUMS"] = Answer(LISTED)
        found = WebFolder(network, web.url + "/r", "url:here").list_files(Version("1.0"))
        assert [offer.name for offer in found.offers] == ["SHA256SUMS", "SHA256SUMS.asc"]
        web["/r/SHA256SUMS"] = Answer(b"<html>log in</html>")
        with pytest.raises(UndecidedError, match="lists no file of a release"):
            WebFolder(network, web.url + "/r", "url:here").list_files(Version("1.0"))
