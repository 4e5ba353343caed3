"""Whom downloads believe: counted on the very kind of context that the hub's client has."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path

import httpx2
import pytest
import truststore

from app.weights import hub, trust


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS itself is asked")
def test_it_counts_what_the_client_has(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in hub.SWITCHES:
        monkeypatch.setenv(name, "")
    client = hub._session()
    context = client._transport._pool._ssl_context  # type: ignore[attr-defined]
    assert isinstance(context, ssl.SSLContext)
    loaded = context.cert_store_stats()["x509_ca"]
    assert trust.authorities() == (loaded or trust._in_folder())
    from huggingface_hub.utils import close_session

    close_session()


def test_certificates_of_a_folder_are_counted_by_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("0a1b2c3d.0", "0A1B2C3D.1", "ca.pem", "0a1b2c3d.r0"):
        (tmp_path / name).write_text("")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert trust.authorities() == 2


def test_a_file_that_is_named_is_all_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    with pytest.raises(FileNotFoundError):
        trust.authorities()
    (tmp_path / "none.pem").write_text("nothing")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(ssl.SSLError):
        trust.authorities()


def test_macos_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        httpx2, "create_ssl_context", lambda: truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    assert trust.authorities() is None
