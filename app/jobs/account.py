"""What a person has with the hub: the pages of its models, and an access token in the keychain."""

from __future__ import annotations

from app.core.errors import KeychainUnavailable
from app.weights import hub_address, token
from app.weights.hub_address import TOKENS
from app.weights.patience import Options


class Account:
    """For the hub of ``options``, or the mirror of it. Nothing here asks it anything."""

    tokens_page = TOKENS
    """Where a person makes an access token, in a browser."""

    def __init__(self, options: Options) -> None:
        self._options = options

    @property
    def host(self) -> str:
        """Whom a token is for."""
        return self._options.endpoint.partition("://")[2].rstrip("/")

    def page(self, repository: str) -> str:
        """The address of the page of ``repository``, for a browser."""
        return hub_address.page(self._options.endpoint, repository)

    def problem(self) -> KeychainUnavailable | None:
        """Why this computer cannot keep a token; None where it can."""
        return token.problem()

    def keep_token(self, text: str) -> None:
        """Keep an access token. Raises KeychainUnavailable, ValueError."""
        token.store(self.host, text)

    def forget_token(self) -> bool:
        """Take it away again; whether there was one. Raises KeychainUnavailable."""
        return token.forget(self.host)
