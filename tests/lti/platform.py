"""A learning platform of ours: real keys, real signatures, a real HTTP server for keys, access tokens, grades and rosters."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from lessons.lti.launch import AGS, CLAIM, DEEP, NRPS

INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"
LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
_KEYS = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]


@dataclass
class Platform:
    """What the platform knows, and what it was told."""

    port: int = 0
    private: Any = _KEYS[0]
    kid: str = "k1"
    fails: list[int] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)
    score_paths: list[str] = field(default_factory=list)
    members: list[dict[str, Any]] = field(default_factory=list)
    assertions: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    #: what a test breaks in the configuration, and the registrations that came
    changes: dict[str, Any] = field(default_factory=dict)
    registered: list[dict[str, Any]] = field(default_factory=list)
    #: the tool's key set, which the platform fetched before
    tool_keys: dict[str, Any] = field(default_factory=dict)

    client_id = "slipway-tool"

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def jwks(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key()))
        return {"keys": [{"kty": "RSA", "n": public["n"], "e": public["e"], "kid": self.kid, "alg": "RS256"}]}

    def rotate(self) -> None:
        """Sign with another key from now on."""
        self.private, self.kid = _KEYS[1], "k2"

    def claims(self, nonce: str, *, target: str = "", sub: str = "ada", role: str = LEARNER, **more: Any) -> dict[str, Any]:
        """A launch as it should be; `more` replaces claims, None takes them away."""
        now = int(time.time())
        found: dict[str, Any] = {
            "iss": self.base, "aud": self.client_id, "sub": sub, "iat": now, "exp": now + 300, "nonce": nonce,
            "email": f"{sub}@school.example", "given_name": sub.title(),
            CLAIM + "version": "1.3.0", CLAIM + "message_type": "LtiResourceLinkRequest", CLAIM + "deployment_id": "d1",
            CLAIM + "roles": [role], CLAIM + "context": {"id": "course-9", "title": "Clusters, autumn"},
            CLAIM + "resource_link": {"id": f"link-{target}"}, CLAIM + "custom": {"slipway_target": target},
            CLAIM + "target_link_uri": "http://testserver/lti/launch/",
            AGS: {"lineitem": f"{self.base}/items/7?type=quiz", "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"]},
            NRPS: {"context_memberships_url": f"{self.base}/members", "service_versions": ["2.0"]},
        }  # fmt: skip
        found |= more
        return {name: value for name, value in found.items() if value is not None}

    def deep(self, nonce: str, **more: Any) -> dict[str, Any]:
        """Somebody wants to choose content."""
        wish = {
            "deep_link_return_url": f"{self.base}/deep",
            "accept_types": ["ltiResourceLink"],
            "accept_multiple": True,
            "data": "opaque",
        }
        kind = {
            CLAIM + "message_type": "LtiDeepLinkingRequest",
            CLAIM + "resource_link": None,
            DEEP + "deep_linking_settings": wish,
        }
        return self.claims(nonce, role=INSTRUCTOR, **{**kind, **more})

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """An id_token."""
        return jwt.encode(claims, self.private, algorithm="RS256", headers={"kid": self.kid, **header})

    # -- what it answers ------------------------------------------------------------------------------------------------------

    def get(self, path: str) -> tuple[int, Any, dict[str, str]]:
        self.asked.append(path)
        parts = urlsplit(path)
        if parts.path == "/jwks":
            return 200, self.jwks, {}
        if parts.path == "/members":
            start = int(parse_qs(parts.query).get("from", ["0"])[0])
            more = {"Link": f'<{self.base}/members?from={start + 2}>; rel="next"'} if start + 2 < len(self.members) else {}
            return 200, {"id": path, "members": self.members[start : start + 2]}, more
        if parts.path == "/openid":
            return 200, self.configuration, {}
        return 404, {}, {}

    @property
    def configuration(self) -> dict[str, Any]:
        """What a tool reads that registers itself; `changes` are what a test breaks."""
        found = {
            "issuer": self.base, "authorization_endpoint": f"{self.base}/auth", "token_endpoint": f"{self.base}/token",
            "jwks_uri": f"{self.base}/jwks", "registration_endpoint": f"{self.base}/register",
            "https://purl.imsglobal.org/spec/lti-platform-configuration": {"product_family_code": "school"},
        }  # fmt: skip
        return {name: value for name, value in (found | self.changes).items() if value is not None}

    def post(self, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        parts = urlsplit(path)
        if parts.path == "/register":
            assert headers["Authorization"] == "Bearer permit"
            self.registered.append(json.loads(body))
            tool = {"deployment_id": "d7"} if len(self.registered) == 1 else {}
            return 200, {
                "client_id": f"client-{len(self.registered)}",
                "https://purl.imsglobal.org/spec/lti-tool-configuration": tool,
            }
        if parts.path == "/token":
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            public = next(
                key for key in self.tool_keys["keys"] if key["kid"] == jwt.get_unverified_header(form["client_assertion"])["kid"]
            )
            said = jwt.decode(
                form["client_assertion"], jwt.PyJWK(public).key, algorithms=["RS256"], audience=f"{self.base}/token"
            )
            assert said["iss"] == said["sub"] == self.client_id
            self.assertions.append(said)
            return 200, {"access_token": "open", "expires_in": 3600}
        if self.fails:
            return self.fails.pop(0), {}
        assert headers["Authorization"] == "Bearer open"
        assert headers["Content-Type"] == "application/vnd.ims.lis.v1.score+json"
        self.score_paths.append(path)
        self.scores.append(json.loads(body))
        return 200, {}


@contextmanager
def running() -> Iterator[Platform]:
    """The platform, served."""
    platform = Platform()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, body: Any, headers: dict[str, str]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self.answer(*platform.get(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(*platform.post(self.path, self.headers, body), {})

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    platform.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield platform
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
