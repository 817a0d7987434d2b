"""Why a service or a server did not answer, in words.

Enters: what urllib3, requests, ssl or the system threw. Leaves: a few words of our own, or OpenSSL's, and never what a
server may have put into a text. Decides nothing.
"""

_MOST_NESTED = 8
_PROXY = "ProxyError"
# By the names of the classes, so that neither library is loaded for it; the innermost that is known says most, but for
# a proxy's: what lies within is about the proxy, and not about the host that was asked for.
_WORDS = {
    "NameResolutionError": "the name of its host is not known",
    "NewConnectionError": "no connection could be made",
    "ConnectionError": "no connection could be made",
    "ConnectTimeoutError": "no connection in time",
    "ConnectTimeout": "no connection in time",
    "ReadTimeoutError": "no answer in time",
    "Timeout": "no answer in time",
    "TimeoutError": "no answer in time",
    "ProtocolError": "the connection broke off",
    "IncompleteRead": "the connection broke off",
    "ChunkedEncodingError": "the connection broke off",
    "ConnectionResetError": "the connection broke off",
    "BrokenPipeError": "the connection broke off",
    "ContentDecodingError": "its answer is too large, or does not end",
    "TooManyRedirects": "it leads elsewhere, which is not followed",
    _PROXY: "the proxy does not answer",
    "SSLError": "no TLS connection could be made",
}


def outage(error: Exception) -> str:
    """Return the words for an error; the name of its class where there are none."""
    said, inner = "", error
    for _ in range(_MOST_NESTED):
        said = _words(inner) or said
        if type(inner).__name__ == _PROXY:
            break
        reason = getattr(inner, "reason", None)  # urllib3's; ssl has texts there
        nested = (each for each in (reason, *inner.args) if isinstance(each, Exception))
        if (found := next(nested, None)) is None:
            break
        inner = found
    return said or type(error).__name__


def _words(error: Exception) -> str:
    import ssl

    match error:  # both texts are OpenSSL's own
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message})"
        case ssl.SSLError() if error.reason:
            return f"no TLS connection could be made ({error.reason.lower().replace('_', ' ')})"
    return next((_WORDS[each.__name__] for each in type(error).__mro__ if each.__name__ in _WORDS), "")
