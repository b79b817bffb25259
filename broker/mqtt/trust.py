"""Whom a client believes to be the broker: the settings of its TLS connections. What goes over them is not known here."""

from __future__ import annotations

import ssl
from pathlib import Path

from broker.errors import BusError


class _TlsSocket(ssl.SSLSocket):
    """A socket that is closed when the two sides do not come to terms: paho forgets it then."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002  # its signature
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """With the certificates that the system trusts, and these (PEM). Raises BusError when they cannot be read."""
    context = ssl.create_default_context()
    context.sslsocket_class = _TlsSocket
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise BusError(f"cannot read certificates from {ca_file}: {error.strerror or error}") from error
    return context
