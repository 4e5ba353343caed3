"""The access token of a hub, in the keychain of the system and nowhere else.

A token belongs to the host it was given for: a mirror never gets the hub's own. It is no part of
settings, logs or the ledger.
"""

from __future__ import annotations

import re

from app.core.errors import KeychainUnavailable

SERVICE = "Easel"
"""What the entry is called in the keychain."""

_TOKEN = re.compile(r"[!-~]{1,512}")


def is_token(text: str) -> bool:
    """Whether ``text`` can be a token: one word of ASCII, as a header takes it."""
    return _TOKEN.fullmatch(text) is not None


def problem() -> KeychainUnavailable | None:
    """Why no token can be kept here; None where there is a keychain, which is asked nothing."""
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        return KeychainUnavailable("none")
    if isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring):
        return KeychainUnavailable("none")
    return None


def read(host: str) -> str:
    """The token for ``host``; "" where there is none, or no keychain that could hold one.

    Raises KeychainUnavailable when there is a keychain and it does not answer.
    """
    try:
        import keyring
        from keyring.errors import KeyringError, NoKeyringError
    except ImportError:
        return ""
    try:
        found = keyring.get_password(SERVICE, host) or ""
    except NoKeyringError:
        return ""
    except KeyringError as error:
        raise KeychainUnavailable("locked") from error
    return found if is_token(found) else ""


def store(host: str, token: str) -> None:
    """Keep ``token`` for ``host``, in place of another. Raises KeychainUnavailable, ValueError."""
    if not is_token(token):
        raise ValueError("not a token")
    try:
        import keyring
        from keyring.errors import KeyringError, NoKeyringError
    except ImportError:
        raise KeychainUnavailable("none") from None
    try:
        keyring.set_password(SERVICE, host, token)
    except NoKeyringError as error:
        raise KeychainUnavailable("none") from error
    except KeyringError as error:
        raise KeychainUnavailable("locked") from error


def forget(host: str) -> bool:
    """Take the token for ``host`` away; whether there was one. Raises KeychainUnavailable."""
    if not read(host):
        return False
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.delete_password(SERVICE, host)
    except KeyringError as error:
        raise KeychainUnavailable("locked") from error
    return True
