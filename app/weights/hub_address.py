"""What a person types or pastes to name a model of the hub, and where its pages are."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from app.core.errors import CardProblem
from app.weights.patience import HUB

TOKENS = f"{HUB}/settings/tokens"
"""Where a person makes an access token."""

_HOSTS = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})
_OTHERS = frozenset({"datasets", "spaces", "collections", "docs", "papers", "settings", "blog"})
_WAYS = frozenset({"tree", "blob", "resolve", "commit"})


def named_by(text: str, host: str = "") -> tuple[str, str]:
    """ "org/name" and the revision ("" for none) that ``text`` means: a name, or an address.

    An address is one of a page of the hub, or of ``host``, the mirror that is asked instead.
    Raises CardProblem for another address; whether a name is one, ``naming`` says.
    """
    text = text.strip().strip("<>\"'").strip("/")
    known = _HOSTS | {host.lower()}
    # 1. An address has a scheme, or begins with the name of the site
    if "://" not in text and text.partition("/")[0].lower() not in known:
        return text, ""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        raise CardProblem(text[:200], "this is no address") from None
    if parts.netloc.lower() not in known:
        raise CardProblem(text[:200], "this is an address of another site than the hub")
    # 2. Its path names the model, and perhaps a version of it
    names = [unquote(name) for name in parts.path.split("/") if name]
    if len(names) < 2 or names[0] in _OTHERS:
        raise CardProblem(text[:200], "this page of the hub is not the page of a model")
    revision = names[3] if len(names) > 3 and names[2] in _WAYS else ""
    return "/".join(names[:2]), revision


def page(endpoint: str, repository: str) -> str:
    """The page of a model on the site that is asked, for a person's browser."""
    return f"{endpoint.rstrip('/')}/{repository}"
