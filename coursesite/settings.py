"""Settings.  Everything that differs between installations comes from the environment (`docs/operations.md`)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from . import environment as env
from . import social

BASE_DIR = env.BASE_DIR
VAR_DIR = env.var_dir()

DEBUG = env.flag("DEBUG")
SECRET_KEY = env.secret_key(VAR_DIR)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
HTTPS = env.flag("HTTPS")

INSTALLED_APPS = [
    "coursesite",
    "simulator",
    "lessons",
    "lessons.labs",
    "lessons.quizzes",
    "lessons.grading",
    "lessons.desk",
    "lessons.reference",
    "lessons.dashboards",
    "lessons.interchange",
    "lessons.outbox",
    "lessons.api",
    "lessons.lti",
    "lessons.records",
    "lessons.badges",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "django_htmx",
    "csp",
]

# Sync middlewares cost a thread hop each under ASGI; all of these can run asynchronously (tests/coursesite checks it).
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "lessons.desk.zones.ReadersZone",
    "coursesite.away.StoresAway",
]

ROOT_URLCONF = "coursesite.urls"
ASGI_APPLICATION = "coursesite.asgi.application"
WSGI_APPLICATION = "coursesite.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# -- stores ---------------------------------------------------------------------------------------------------------------

DATABASE_URL = env.text("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'slipway.sqlite3'}"
DATABASES: dict[str, Any] = {"default": dj_database_url.parse(DATABASE_URL)}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE takes the write lock when a transaction begins, so that two writers wait for each other instead of one of
    # them failing half-way; with WAL readers never wait.  synchronous=NORMAL is safe under WAL against a killed process.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000; PRAGMA mmap_size=67108864",
    }
    _database["CONN_MAX_AGE"] = None
else:
    _database["OPTIONS"] = {
        **_database.get("OPTIONS", {}),
        "pool": {"min_size": 1, "max_size": env.number("DATABASE_POOL", 8, least=1, most=200)},
        # the few statements of each command (`simulator.statements`) are parsed and planned once a connection, not each time
        "prepare_threshold": 5 if env.flag("DATABASE_PREPARE", default=True) else None,
    }
    _database["CONN_MAX_AGE"] = 0  # the pool keeps connections; Django must not
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.redis_url(VAR_DIR)
CACHES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "slipway"}
}
#: Are pages that are the same for everybody kept (`lessons.pages.kept`)?  Not while their sources are worked on.
PAGES_KEPT = not DEBUG
CHANNEL_LAYERS: dict[str, Any] = {
    # Publish/subscribe: a doorbell for nobody is dropped, which is right, since every reader catches up by cursor.
    "default": {"BACKEND": "simulator.layer.Layer", "CONFIG": {"hosts": [REDIS_URL], "prefix": "slipway"}}
}

# -- Celery ---------------------------------------------------------------------------------------------------------------

#: Worker processes that `manage.py up` starts.
WORKERS = env.number("WORKERS", min(4, os.cpu_count() or 1), least=1, most=64)
#: A cluster belongs to queue crc32(id) % CLUSTER_QUEUES; workers share the queues out among themselves, however many they are.
CLUSTER_QUEUES = env.number("QUEUES", WORKERS, least=1, most=64)
CELERY_BROKER_URL = env.celery_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A worker that was killed as a whole gives its messages back after this long; see docs/operations.md.
    "visibility_timeout": 15,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "socket_keepalive": True,
}
CELERY_TASK_ALWAYS_EAGER = False
# no task of ours leaves a result but the one that `make bench` compares with
CELERY_RESULT_BACKEND = CELERY_BROKER_URL
CELERY_RESULT_EXPIRES = 60
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 40
CELERY_TASK_TIME_LIMIT = 60
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_DEFAULT_QUEUE = "cluster.0"
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.2}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A new pool process that says nothing for this long is killed and made anew: at the default of 4 s a busy machine never gets one.
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 120
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# -- simulator ------------------------------------------------------------------------------------------------------------

#: The façade's class; tests put a stand-in here.
SLIPWAY_SANDBOX = env.text("SLIPWAY_SANDBOX", "simulator.core.sandbox.Sandbox")
#: Worlds that one worker keeps in memory; the least recently used is let go (after a snapshot).
SLIPWAY_WARM_WORLDS = env.number("SLIPWAY_WARM_WORLDS", env.warm_worlds(WORKERS, env.memory()), least=1, most=10_000)
#: Scenario that a new worker process builds once before its first learner needs it; empty for none.
SLIPWAY_WARM_UP = env.text("SLIPWAY_WARM_UP", "three-nodes")
#: Real seconds that one input may take of its worker before it is set aside.
SLIPWAY_INPUT_SECONDS = env.number("SLIPWAY_INPUT_SECONDS", 10, least=1, most=30)
#: WebSockets that one account may hold in one web process (`simulator.connections`).
SLIPWAY_SOCKETS = env.number("SLIPWAY_SOCKETS", 40, least=1, most=10_000)
#: Rows that a session's journal may hold.
SLIPWAY_JOURNAL_LIMIT = env.number("SLIPWAY_JOURNAL_LIMIT", 5_000, least=10)
#: Days without use after which older snapshots, clusters that were left, and journals behind a snapshot go (`simulator.retention`); 0: never.
SLIPWAY_RETAIN_SNAPSHOTS = env.number("RETAIN_SNAPSHOTS", 30)
SLIPWAY_RETAIN_LEFT = env.number("RETAIN_LEFT", 365)
SLIPWAY_RETAIN_JOURNALS = env.number("RETAIN_JOURNALS", 365)

# -- other systems --------------------------------------------------------------------------------------------------------

#: Hosts (`name` or `name:port`) that the site may contact on its own: webhooks and learning platforms.  Nobody else is.
SLIPWAY_INTEGRATION_HOSTS = env.words("INTEGRATION_HOSTS")
#: A learning record store for xAPI statements; empty for none.  Its host has to be in INTEGRATION_HOSTS.
SLIPWAY_LRS_URL = env.text("LRS_URL")
SLIPWAY_LRS_KEY = env.text("LRS_KEY")
SLIPWAY_LRS_SECRET = env.text("LRS_SECRET")
#: The site's own address, by which records name it.
SLIPWAY_SITE_URL = env.text("SITE_URL", "http://localhost:8000")
#: Requests of one API token in a minute.
SLIPWAY_API_RATE = env.number("API_RATE", 300, least=1, most=100_000)

# -- accounts -------------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
#: Sign-in at an identity provider (OpenID Connect), beside passwords; none without an address.  E-mail addresses join no accounts.
OIDC_URL = env.text("OIDC_URL")
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if OIDC_URL:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "APPS": [
            {
                "provider_id": "oidc",
                "name": env.text("OIDC_NAME", "OpenID Connect"),
                "client_id": env.text("OIDC_CLIENT_ID"),
                "secret": env.text("OIDC_CLIENT_SECRET"),
                "settings": {"server_url": OIDC_URL},
            }
        ]
    }
_SOCIAL = social.chosen()
SOCIALACCOUNT_PROVIDERS |= _SOCIAL
INSTALLED_APPS += social.applications(_SOCIAL)
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
ACCOUNT_FORMS = {"login": "coursesite.signin.LoginForm"}
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = env.text("EMAIL_VERIFICATION", "none")
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
#: One-time codes of an authenticator app, and recovery codes; passkeys would need scripts that the content policy does not allow.
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Slipway"
#: Attempts, by address and by account; beyond them the answer is 429 (allauth counts in Redis, so for all web processes together).
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip,5/5m/key",
    "signup": "30/m/ip",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
    "confirm_email": "1/3m/key",
    "manage_email": "10/m/user",
}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if env.text("EMAIL_HOST") else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 25, least=1, most=65_535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS")
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "slipway@localhost")

# -- languages ------------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("ko", _("Korean")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["coursesite.formats"]
TIME_ZONE = env.text("TIME_ZONE", "UTC")

# -- static files ---------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Hashed names and compressed copies are made at collectstatic; `coursesite.static` serves them.
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_ROOT = VAR_DIR / "media"

# -- security -------------------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF, NONCE],  # xterm and CodeMirror make style elements; they carry the page's nonce
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        # a form that leads to the identity provider is one that goes there
        "form-action": [
            SELF,
            *(["{0.scheme}://{0.netloc}".format(urlsplit(OIDC_URL))] if OIDC_URL else []),
            *social.origins(_SOCIAL),
        ],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.flag("HSTS_SUBDOMAINS", True)
    SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 31_536_000, most=63_072_000)
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
SILENCED_SYSTEM_CHECKS: list[str] = []

# -- figures --------------------------------------------------------------------------------------------------------------

#: Bearer token for `/metrics`; without one only this machine may read it.
METRICS_TOKEN = env.text("METRICS_TOKEN")
# where the processes of one machine leave their figures; the library looks at it when it is imported
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(VAR_DIR / "metrics"))
Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)

# -- logs -----------------------------------------------------------------------------------------------------------------

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "coursesite.logs.Line", "format": "{asctime} {levelname} {name} {message}", "style": "{"},
        "json": {"()": "coursesite.logs.Json"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": env.choice("LOG_FORMAT", "line", ("line", "json"))}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO").upper()},
    "loggers": {
        # uvicorn sets its own up before the site is imported: what it says of connections (with their addresses) goes the way of all lines
        "uvicorn": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
    },
}
