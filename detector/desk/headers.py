"""Response headers that keep a browser from loading or running anything that is not the desk's own."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class SafeHeaders:
    """ASGI middleware: content security policy and its companions on every answer."""

    def __init__(self, app: ASGIApp, pictures_from: str | None = None) -> None:
        """`pictures_from` is one further origin that pages may show pictures from."""
        self._app = app
        images = f"'self' {pictures_from}" if pictures_from else "'self'"
        self._headers = {
            "Content-Security-Policy": f"default-src 'none'; img-src {images}; style-src 'self'; script-src 'self'; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
