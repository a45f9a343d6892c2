"""Sign-in by OpenID Connect: a button that leads to the configured provider, and none without one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse


@pytest.fixture
def provider(settings: Any) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            base = f"http://127.0.0.1:{server.server_port}"
            found = {
                "issuer": base,
                "authorization_endpoint": f"{base}/auth",
                "token_endpoint": f"{base}/token",
                "jwks_uri": f"{base}/jwks",
            }
            content = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"
    app = {"provider_id": "oidc", "name": "Harbour ID", "client_id": "c", "secret": "s", "settings": {"server_url": base}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": base}}
    cache.clear()
    yield base
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_button_that_leads_to_the_provider(db: None, provider: str) -> None:
    client, address = Client(), reverse("openid_connect_login", args=["oidc"])
    page = client.get(reverse("account_login")).content.decode()
    assert "Harbour ID" in page
    assert address in page
    answer = client.post(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{provider}/auth?")
    query = parse_qs(urlsplit(answer["Location"]).query)
    assert (query["client_id"], query["response_type"]) == (["c"], ["code"])
    assert query["state"]
    assert query["redirect_uri"] == [f"http://testserver{reverse('openid_connect_callback', args=['oidc'])}"]


def test_none_without_one(db: None) -> None:
    assert "/oidc/" not in Client().get(reverse("account_login")).content.decode()
