"""The pages alone under WSGI, for tools that expect it; WebSockets need `coursesite.asgi`."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coursesite.settings")

application = get_wsgi_application()
