"""What strict JSON is refused for, by every Python alike."""

import pytest

from sealwright.files.strict_json import MAX_DEPTH, read_json


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[0,{"a":', "}]")])
def test_how_deeply_it_may_be_nested(opening: str, closing: str) -> None:
    """Python 3.11 gave up below 1000, 3.13 below 50,000, and 3.14 reads as deeply as its stack goes."""
    levels = MAX_DEPTH // len(closing)
    content = (opening * levels + "1" + closing * levels).encode()
    assert read_json(content)
    with pytest.raises(ValueError, match="nested too deeply"):
        read_json(b"[" + content + b"]")


@pytest.mark.parametrize("levels", [901, 5_000, 50_000, 1_000_000])
@pytest.mark.parametrize("closed", [True, False])
def test_far_too_deep(levels: int, closed: bool) -> None:
    with pytest.raises(ValueError, match=r"nested too deeply|Expecting"):
        read_json(b"[" * levels + b"1" + b"]" * (levels if closed else 0))


def test_brackets_in_texts_are_no_levels() -> None:
    assert read_json(b'"' + b"[{" * 10_000 + b'"') == "[{" * 10_000
    assert read_json(b'["' + b"[{" * 10_000 + b'"]') == ["[{" * 10_000]
    assert read_json(b"[" + b"[]," * 9_000 + b"[]]") == [[]] * 9_001
