"""Whom downloads believe: the authorities behind the certificates of the hub."""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path

import httpx2

_HASHED = re.compile(r"[0-9a-fA-F]{8}\.\d")
"""How OpenSSL names the certificates of a folder; it reads them when it meets one."""


def authorities() -> int | None:
    """How many authorities a download would believe; None where the system itself is asked.

    Builds what the client of ``weights.hub`` builds for its connections, and opens none. macOS is
    asked anew for each certificate. 0 is a system without any: every connection would fail. Raises
    OSError where the file or folder that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read.
    """
    context = httpx2.create_ssl_context()
    if type(context).__module__.startswith("truststore"):
        return None
    loaded = context.cert_store_stats()["x509_ca"]
    return loaded or _in_folder()


def _in_folder() -> int:
    """Certificates that OpenSSL will look up in its folder."""
    if os.environ.get("SSL_CERT_FILE"):  # then it looks into no folder
        return 0
    folder = os.environ.get("SSL_CERT_DIR") or ssl.get_default_verify_paths().openssl_capath
    try:
        return sum(bool(_HASHED.fullmatch(file.name)) for file in Path(folder).iterdir())
    except FileNotFoundError:
        return 0
