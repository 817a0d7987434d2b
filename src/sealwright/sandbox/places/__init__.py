"""The places where releases live, on loopback: a package index, GitHub's release pages, a plain web folder.

Enters: files. Leaves: services on 127.0.0.1 that unmodified clients download from, and that fail as they are told to.
"""

from sealwright.sandbox.faults import NOT_JSON, Answer, Break, Delay, Endpoint, Faults, Lie, Trickle, redirect
from sealwright.sandbox.places.github import GitHub
from sealwright.sandbox.places.github_answers import primary_limit, secondary_limit
from sealwright.sandbox.places.index import Index
from sealwright.sandbox.places.provenance import (
    GitHubPublisher,
    GitLabPublisher,
    Publisher,
    build_provenance,
    publisher_of,
)
from sealwright.sandbox.places.running import Places, Published, running_places
from sealwright.sandbox.places.web import WebFolder

__all__ = [
    "NOT_JSON",
    "Answer",
    "Break",
    "Delay",
    "Endpoint",
    "Faults",
    "GitHub",
    "GitHubPublisher",
    "GitLabPublisher",
    "Index",
    "Lie",
    "Places",
    "Published",
    "Publisher",
    "Trickle",
    "WebFolder",
    "build_provenance",
    "primary_limit",
    "publisher_of",
    "redirect",
    "running_places",
    "secondary_limit",
]
