"""What metadata says about a licence, as SPDX expressions where it can be told for sure.

Enters: the fields License-Expression and License, and the classifiers. Leaves: `Licence`, with the words of the
metadata kept beside. Never guesses: a classifier that does not say which version it means stays a name (PEP 639,
https://peps.python.org/pep-0639/#mapping-license-classifiers-to-spdx-identifiers).
"""

from functools import cache

from sealwright.collect.contents.references import clean
from sealwright.model.component import Licence, Stated

_LONGEST_EXPRESSION = 1_000
_LONGEST_TEXT = 64 * 1024
_MOST_CLASSIFIERS = 50
_PREFIX = "License :: "
_NOT_SAYING = (_PREFIX + "OSI Approved", _PREFIX + "DFSG approved")

# Classifiers that mean exactly one SPDX identifier; the last part of each, in lower case.
_CLASSIFIERS = {
    "aladdin free public license (afpl)": "Aladdin",
    "attribution assurance license": "AAL",
    "blue oak model license (blueoak-1.0.0)": "BlueOak-1.0.0",
    "boost software license 1.0 (bsl-1.0)": "BSL-1.0",
    "cc0 1.0 universal (cc0 1.0) public domain dedication": "CC0-1.0",
    "cea cnrs inria logiciel libre license, version 2.1 (cecill-2.1)": "CECILL-2.1",
    "cecill-b free software license agreement (cecill-b)": "CECILL-B",
    "cecill-c free software license agreement (cecill-c)": "CECILL-C",
    "common public license": "CPL-1.0",
    "common development and distribution license 1.0 (cddl-1.0)": "CDDL-1.0",
    "eclipse public license 1.0 (epl-1.0)": "EPL-1.0",
    "eclipse public license 2.0 (epl-2.0)": "EPL-2.0",
    "european union public licence 1.1 (eupl 1.1)": "EUPL-1.1",
    "european union public licence 1.2 (eupl 1.2)": "EUPL-1.2",
    "gnu affero general public license v3": "AGPL-3.0-only",
    "gnu affero general public license v3 or later (agplv3+)": "AGPL-3.0-or-later",
    "gnu general public license v2 (gplv2)": "GPL-2.0-only",
    "gnu general public license v2 or later (gplv2+)": "GPL-2.0-or-later",
    "gnu general public license v3 (gplv3)": "GPL-3.0-only",
    "gnu general public license v3 or later (gplv3+)": "GPL-3.0-or-later",
    "gnu lesser general public license v2 (lgplv2)": "LGPL-2.0-only",
    "gnu lesser general public license v2 or later (lgplv2+)": "LGPL-2.0-or-later",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
    "historical permission notice and disclaimer (hpnd)": "HPND",
    "ibm public license": "IPL-1.0",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mit no attribution license (mit-0)": "MIT-0",
    "mozilla public license 1.0 (mpl)": "MPL-1.0",
    "mozilla public license 1.1 (mpl 1.1)": "MPL-1.1",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "mulan permissive software license v2 (mulanpsl-2.0)": "MulanPSL-2.0",
    "open software license 3.0 (osl-3.0)": "OSL-3.0",
    "postgresql license": "PostgreSQL",
    "python license (cnri python license)": "CNRI-Python",
    "python software foundation license": "Python-2.0",  # the one of that name that the OSI approved
    "qt public license (qpl)": "QPL-1.0",
    "sleepycat license": "Sleepycat",
    "sil open font license 1.1 (ofl-1.1)": "OFL-1.1",
    "the unlicense (unlicense)": "Unlicense",
    "universal permissive license (upl)": "UPL-1.0",
    "university of illinois/ncsa open source license": "NCSA",
    "vovida software license 1.0": "VSL-1.0",
    "w3c license": "W3C",
    "zlib/libpng license": "Zlib",
    "zero-clause bsd (0bsd)": "0BSD",
    "zope public license 2.1 (zpl 2.1)": "ZPL-2.1",
}
# How people write an SPDX identifier into License, punctuation and the words "the", "license", "version" left out.
_SPELLINGS = {
    "mit": "MIT", "expat": "MIT", "apache 2.0": "Apache-2.0", "apache 2": "Apache-2.0", "apache2": "Apache-2.0",
    "apache2.0": "Apache-2.0", "apache software 2.0": "Apache-2.0", "asl 2.0": "Apache-2.0", "asl 2": "Apache-2.0",
    "bsd 3 clause": "BSD-3-Clause", "3 clause bsd": "BSD-3-Clause", "new bsd": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause", "bsd 2 clause": "BSD-2-Clause", "2 clause bsd": "BSD-2-Clause",
    "simplified bsd": "BSD-2-Clause", "0bsd": "0BSD", "isc": "ISC", "iscl": "ISC", "mpl 2.0": "MPL-2.0",
    "mpl2.0": "MPL-2.0", "mozilla public 2.0": "MPL-2.0", "mozilla public 2.0 mpl 2.0": "MPL-2.0",
    "psf 2.0": "PSF-2.0", "unlicense": "Unlicense", "zlib": "Zlib", "cc0 1.0": "CC0-1.0", "zpl 2.1": "ZPL-2.1",
    "boost software 1.0": "BSL-1.0", "lgplv3+": "LGPL-3.0-or-later", "gplv3+": "GPL-3.0-or-later",
    "gplv2+": "GPL-2.0-or-later", "lgplv2.1+": "LGPL-2.1-or-later", "agplv3+": "AGPL-3.0-or-later",
}  # fmt: skip
_FILLERS = {"the", "license", "licence", "licenses", "version", "v", "software's"}


def collect_licence(expression: str, text: str, classifiers: tuple[str, ...]) -> Licence:
    """Take the first that says something sure: License-Expression, License, the classifiers; keep all as evidence.

    Expressions are normalised as https://spdx.github.io/spdx-spec/v3.0.1/annexes/spdx-license-expressions/ writes them.
    """
    licensed = [clean(c, 200) for c in classifiers if c.startswith(_PREFIX)][:_MOST_CLASSIFIERS]
    licensed = [c for c in dict.fromkeys(licensed) if c not in _NOT_SAYING]
    stated = [("License-Expression", expression), ("License", text), *(("Classifier", c) for c in licensed)]
    evidence = tuple(Stated(field, _text(words)) for field, words in stated if words)
    for words in (expression, text):
        found = _normalise(words)
        if found:
            return Licence((found,), (), evidence)
    known = [_CLASSIFIERS.get(_last(c), "") for c in licensed]
    expressions = tuple(sorted({found for found in known if found}))
    names = {_last(c, lower=False) for c, found in zip(licensed, known, strict=True) if not found}
    if not expressions and not names:
        names = {_name(words) for words in (expression or text,) if words}
    return Licence(expressions, tuple(sorted(names - {""})), evidence)


def _last(classifier: str, *, lower: bool = True) -> str:
    last = classifier.rpartition(" :: ")[2]
    return last.lower() if lower else last


def _text(words: str) -> str:
    """Keep lines, which are a licence's own, and nothing that UTF-8 cannot carry."""
    text = words[:_LONGEST_TEXT].encode("utf-8", "replace").decode()
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c for c in text if c.isprintable() or c in "\n\t")


def _name(words: str) -> str:
    return next((line for line in (clean(line, 100) for line in words[:_LONGEST_TEXT].split("\n")) if line), "")


@cache
def _normalise(words: str) -> str:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if not words or len(words) > _LONGEST_EXPRESSION or "\n" in words:
        return ""
    try:
        # Deep brackets are compiled by it: no expression needs many of them.
        return "" if words.count("(") > 50 else str(canonicalize_license_expression(words))
    except (InvalidLicenseExpression, ValueError, SyntaxError, RecursionError, MemoryError):
        plainly = "".join(c if c.isalnum() or c in ".+" else " " for c in words.lower())
        return _SPELLINGS.get(" ".join(word for word in plainly.split() if word not in _FILLERS), "")
