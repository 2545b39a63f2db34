"""Django settings: what the environment does not decide stands here (see config/environment.py for what it does)."""

import hashlib
import sys
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from config import schedule
from config.environment import TABLE, BadSetting, read
from relais.core import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
try:
    ENV = read()
except BadSetting as error:
    sys.exit(f"Relais: {error}")

ENV_TABLE = TABLE
PRODUCTION = ENV["RELAIS_MODE"] == "production"
DEMO = not PRODUCTION and (not ENV["DATABASE_URL"] or ENV["SYNTHETIC_DATA"])
TESTING = "pytest" in sys.modules
DEBUG = False

HOME = embedded.home(BASE_DIR, ENV["RELAIS_HOME"]) / ("test" if TESTING else "")
FILES_DIR = Path(ENV["FILES_DIR"] or HOME / "files")
FILES_KEY_FILE = Path(ENV["FILES_KEY_FILE"] or HOME / "keys" / "files.key")
SECRETS_KEY_FILE = Path(ENV["SECRETS_KEY_FILE"] or HOME / "keys" / "secrets.key")
ANSWERS_KEY_FILE = Path(ENV["ANSWERS_KEY_FILE"] or HOME / "keys" / "answers.key")


def _database(url: str) -> dict:
    """The connection settings of a postgresql:// address (its query string becomes OPTIONS)."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        sys.exit("Relais: DATABASE_URL must start with postgresql://")
    return {
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": {key: value[0] for key, value in parse_qs(parts.query).items()},
    }


EMBEDDED = not ENV["DATABASE_URL"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "ATOMIC_REQUESTS": False,
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 60,
        **(embedded.connection(HOME) if EMBEDDED else _database(ENV["DATABASE_URL"])),
    }
}
# Values go beside the statement, so that the database reads and plans each statement once a connection (ADR 0017).
OPTIONS = DATABASES["default"].setdefault("OPTIONS", {})
OPTIONS.update(server_side_binding=True, prepare_threshold=5)
OPTIONS.setdefault("options", "-c join_collapse_limit=6 -c max_parallel_workers_per_gather=0")  # ADR 0022
SECRET_KEY = ENV["SECRET_KEY"] or embedded.secret(HOME, "django")
# Secrets derived for one purpose each, so that none opens two doors.
# Asked by the demo page from whoever does not sit at this machine; `up` prints it.
DEMO_KEY = hashlib.sha256(embedded.secret(HOME, "demo-key").encode()).hexdigest()[:10] if DEMO else ""
LIVE_KEY = hashlib.sha256(b"live" + SECRET_KEY.encode()).hexdigest()

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    # collectstatic alone needs ours; the live server of the tests looks for Django's by its name
    "relais.core.apps.StaticFiles" if PRODUCTION else "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "relais.accounts",  # above allauth: its pages are ours
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "pgtrigger",
    "procrastinate.contrib.django",
    "relais.core",
    "relais.audit",
    "relais.notifications",
    "relais.rooms",
    "relais.files",
    "relais.questionnaires",
    "relais.directory",
    "relais.oncall",
    "relais.patients",
    "relais.dossiers",
    "relais.teleconsultation",
    "relais.telemonitoring",
    "relais.meetings",
    "relais.liaison",
    "relais.expertise",
    "relais.portal",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "relais.core.middleware.SecurityHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "relais.core.middleware.CsrfOfEachSide",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "relais.accounts.middleware.SessionLimits",
    "relais.accounts.middleware.ActorMiddleware",
    "relais.patients.middleware.GrantMiddleware",
    "relais.meetings.middleware.GuestMiddleware",
    "relais.core.middleware.ClosedByDefault",
    "relais.core.middleware.NoNul",
    "relais.core.middleware.DomainErrors",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "relais.core.templatetags.ui",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "relais.core.context.page",
            ],
        },
    }
]
FORM_RENDERER = "relais.core.forms.Renderer"

LANGUAGE_CODE = "fr"
TIME_ZONE = "Europe/Paris"
USE_TZ = True
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "/static/"
STATIC_ROOT = Path(ENV["STATIC_DIR"] or BASE_DIR / "staticfiles") if PRODUCTION else None
NPM = BASE_DIR / "node_modules"
STATICFILES_DIRS = [
    ("vendor/htmx", NPM / "htmx.org" / "dist"),
    ("vendor/htmx-sse", NPM / "htmx-ext-sse" / "dist"),
    ("vendor/uplot", NPM / "uplot" / "dist"),
    ("vendor/inter", NPM / "@fontsource-variable" / "inter"),
]
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # files go through relais.files alone
    "staticfiles": {
        "BACKEND": "relais.core.storage.Storage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["relais.core.hashers.Argon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
SIGN_IN_URL = "/connexion/"
# allauth's pages: these are open to all, those below to any signed-in person (its views cannot carry our marks).
PUBLIC_URL_NAMES = {"account_login", "account_inactive", "mfa_authenticate", "mfa_login_webauthn"}
ACCOUNT_URL_NAMES = {
    "account_logout",
    "account_reauthenticate",
    "account_change_password",
    "account_set_password",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_generate_recovery_codes",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "mfa_remove_webauthn",
}
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "relais.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_FORMS = {
    "login": "relais.accounts.forms.LoginForm",
    "reauthenticate": "relais.accounts.forms.ReauthenticateForm",
    "change_password": "relais.accounts.forms.ChangePasswordForm",
}
ACCOUNT_LOGOUT_REDIRECT_URL = SIGN_IN_URL
# Failures are counted in the database (relais.accounts.actions.attempts); these only slow floods, and a whole
# hospital may sign in from one address.
ACCOUNT_RATE_LIMITS = {"login": "120/m/ip", "login_failed": None, "reset_password": "20/m/ip,5/m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if ENV["TRUSTED_PROXY"] else 0
MFA_ADAPTER = "relais.accounts.adapter.MFAAdapter"
MFA_FORMS = {
    "authenticate": "relais.accounts.forms.AuthenticateForm",
    "activate_totp": "relais.accounts.forms.ActivateTOTPForm",
    "add_webauthn": "relais.accounts.forms.AddWebAuthnForm",
}
MFA_ALLOW_UNVERIFIED_EMAIL = True  # the address comes from the establishment, and its owner answered a code
# A key always checks its owner (finger, face, PIN), so that alone it is two factors.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
MFA_TOTP_ISSUER = "Relais"

PUBLIC_URL = ENV["PUBLIC_URL"] or f"http{'s' if ENV['HTTPS'] else ''}://localhost:{ENV['PORT']}"
ALLOWED_HOSTS = ["*"] if ENV["HTTPS"] and not PRODUCTION else ENV["ALLOWED_HOSTS"]
SECURE_TLS = PRODUCTION or ENV["HTTPS"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_TLS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = "relais_session"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
NURSING_HOMES_WRITE = ENV["NURSING_HOMES_WRITE"]
SESSION_IDLE_SECONDS = ENV["SESSION_IDLE_MINUTES"] * 60
PATIENT_COOKIE_NAME = "relais_patient"
PATIENT_CSRF_COOKIE_NAME = "relais_patient_csrf"
CSRF_FAILURE_VIEW = "relais.core.views.csrf_failure"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if PRODUCTION else 0
# nginx leads to HTTPS (deploy/); other hosts of the domain are not ours to promise for.
# W161 finds opening hours suspect during twenty seconds of each day: those in which they are the hour that it is.
SILENCED_SYSTEM_CHECKS = ["fields.W161", "security.W005", "security.W008", "security.W021"]
X_FRAME_OPTIONS = "DENY"
if ENV["TRUSTED_PROXY"]:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "media-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

PROCRASTINATE_WORKER_DEFAULTS = schedule.WORKER
PROCRASTINATE_PERIODIC_DEFAULTS = schedule.PERIODIC

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000  # a choice for each of the 1,000 lines of a file
UPLOAD_MAX_BYTES = 50 * 1024 * 1024
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%d/%m/%Y"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"relais": {"level": "INFO"}},
}
