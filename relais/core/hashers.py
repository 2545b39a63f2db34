"""How passwords are kept."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes and one lane: what the OWASP Password Storage Cheat Sheet asks for at least.

    Django's own 100 MiB on eight lanes would take gigabytes, and every core, when a hundred people sign in or are
    booked at the same time.
    """

    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1
