"""Every error that may cross the wire. One question per class: would trying again help?

The module path is wire (nameko rebuilds an error by its path), so classes never move. Constructor
arguments are exactly `(message, context)`, both JSON-safe. Integrators match on `code`.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self


class LianfangError(Exception):
    """The root of everything this system says about what went wrong."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str | None = None, context: dict[str, Any] | None = None) -> None:
        """`message` defaults to the class's own sentence; `context` holds JSON-safe facts."""
        self.message = message or (type(self).__doc__ or self.code).strip().splitlines()[0]
        self.context = context or {}
        super().__init__(self.message, self.context)

    def __str__(self) -> str:
        """The sentence for people."""
        return self.message


class Rejected(LianfangError):
    """Trying again cannot help."""

    code = "rejected"


class InvalidPayload(Rejected):
    """The document does not have the promised shape."""

    code = "invalid_payload"

    @classmethod
    def of(cls, field: str, reason: str) -> Self:
        """One wrong field and the reason."""
        return cls(f"{field}: {reason}", {"fields": {field: [reason]}})


class Undecodable(InvalidPayload):
    """The body is not the JSON object it should be."""

    code = "undecodable"


class TooLarge(InvalidPayload):
    """The body is larger than the door allows."""

    code = "too_large"


class UnknownType(Rejected):
    """No reader here knows this type or version."""

    code = "unknown_type"


class NotFound(Rejected):
    """There is no such thing."""

    code = "not_found"

    @classmethod
    def of(cls, kind: str, key: str) -> Self:
        """The kind of thing and the key that was asked for."""
        return cls(f"no {kind} {key}", {"kind": kind, "key": key})


class IllegalTransition(Rejected):
    """This cannot follow from the present state."""

    code = "illegal_transition"

    @classmethod
    def of(cls, subject: str, current: str, wanted: str) -> Self:
        """What was asked of which subject in which state."""
        facts = {"subject": subject, "from": current, "to": wanted}
        return cls(f"{subject} is {current} and cannot become {wanted}", facts)


class Conflict(Rejected):
    """It already exists with other content."""

    code = "conflict"


class NotPermitted(Rejected):
    """The caller may not do this."""

    code = "not_permitted"


class DeadlineExceeded(Rejected):
    """The caller's deadline had passed before the work began; nothing was done."""

    code = "deadline_exceeded"


class Retryable(LianfangError):
    """Trying again may help."""

    code = "retryable"


class VersionConflict(Retryable):
    """Somebody else wrote first, again and again."""

    code = "version_conflict"


class NotYetKnown(Retryable):
    """The message overtook the one it depends on."""

    code = "not_yet_known"


class Unavailable(Retryable):
    """The broker, the database or a called service does not answer."""

    code = "unavailable"


class Overloaded(Retryable):
    """Too much is waiting to be published; the command was not started."""

    code = "overloaded"


class Misconfigured(LianfangError):
    """The process refuses to start; every wrong setting is listed at once."""

    code = "misconfigured"


class Bug(LianfangError):
    """The service failed in a way nobody foresaw; the details are in its log under this id."""

    code = "bug"


#: Wire code to class, for whoever rebuilds an error from an answer.
BY_CODE: dict[str, type[LianfangError]] = {
    cls.code: cls
    for cls in (
        Rejected,
        InvalidPayload,
        Undecodable,
        TooLarge,
        UnknownType,
        NotFound,
        IllegalTransition,
        Conflict,
        NotPermitted,
        DeadlineExceeded,
        Retryable,
        VersionConflict,
        NotYetKnown,
        Unavailable,
        Overloaded,
        Misconfigured,
        Bug,
    )
}
