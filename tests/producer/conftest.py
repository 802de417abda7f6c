"""No deadline for an example of a property: machines that run tests are busy."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
