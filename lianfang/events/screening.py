"""What the screening service says: verdicts, samples, cases, exposures and contacts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from lianfang.events.event import Event
from lianfang.vocabulary import (
    Classification,
    ContactCategory,
    ContactKind,
    Custody,
    ExposureSetting,
    FoundBy,
    Outcome,
    PlaceUse,
    SampleResult,
    Symptom,
    TravelMode,
    Tube,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclarationAssessed(Event):
    """The verdict on a declaration, with the reasons and the policy that gave it.

    `assessment_id` is natural in the person, so a later declaration is a later revision of it.
    `last_exposure_on` is day 0 of an observation that the outcome asks for.
    """

    TYPE: ClassVar[str] = "declaration.assessed"
    SUBJECT: ClassVar[str] = "assessment_id"
    assessment_id: str
    declaration_id: str
    person_id: str
    household_id: str
    building: str
    outcome: Outcome
    reasons: tuple[str, ...]
    assessed_at: datetime
    policy_version: str
    last_exposure_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleResulted(Event):
    """A laboratory reported on one tube. A preliminary positive confirms nothing."""

    TYPE: ClassVar[str] = "sample.resulted"
    SUBJECT: ClassVar[str] = "sample_id"
    sample_id: str
    person_ids: tuple[str, ...]
    tube: Tube
    result: SampleResult
    collected_at: datetime
    resulted_at: datetime
    laboratory_id: str
    batch_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SymptomReported(Event):
    """A symptom or a fever, from a round or a medic; `report_id` is natural in its origin."""

    TYPE: ClassVar[str] = "symptom.reported"
    SUBJECT: ClassVar[str] = "report_id"
    report_id: str
    person_id: str
    household_id: str
    building: str
    reported_at: datetime
    symptoms: tuple[Symptom, ...] = ()
    temperature: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Where a case was inside the look-back; `use` tells a residence from a workplace or venue."""

    place: str
    last_present_at: datetime
    use: PlaceUse = PlaceUse.RESIDENCE
    unit_segment: str | None = None
    household_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSuspected(Event):
    """A medic's suspicion or a preliminary positive: stay, re-test, prepare; nothing is sealed."""

    TYPE: ClassVar[str] = "case.suspected"
    SUBJECT: ClassVar[str] = "case_id"
    case_id: str
    person_id: str
    household_id: str | None
    building: str
    basis: str
    suspected_at: datetime
    sample_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseConfirmed(Event):
    """A named medic recorded a case as confirmed or asymptomatic; the cascade starts here."""

    TYPE: ClassVar[str] = "case.confirmed"
    SUBJECT: ClassVar[str] = "case_id"
    case_id: str
    person_id: str
    household_id: str | None
    classification: Classification
    basis: str
    decided_by: str
    decided_at: datetime
    infectious_from_on: date
    stays: tuple[Stay, ...]
    reporting_district: str
    owning_district: str
    policy_version: str
    onset_on: date | None = None
    first_positive_at: datetime | None = None
    laboratory_batch_id: str | None = None
    custody: Custody = Custody.AT_HOME
    custody_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAmended(CaseConfirmed):
    """Another person, address or date: the whole case as it now is, and whom it was about before.

    Readers withdraw what only the former facts justified and compute the new.
    """

    TYPE: ClassVar[str] = "case.amended"
    former_person_id: str
    reason: str
    amended_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDiscarded(Event):
    """The case is none. A confirmed one is discarded only with a reason and a second signature."""

    TYPE: ClassVar[str] = "case.discarded"
    SUBJECT: ClassVar[str] = "case_id"
    case_id: str
    person_id: str
    reason: str
    decided_by: str
    decided_at: datetime
    second_signature: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClosed(Event):
    """The case ended: `outcome` is recovered or died."""

    TYPE: ClassVar[str] = "case.closed"
    SUBJECT: ClassVar[str] = "case_id"
    case_id: str
    person_id: str
    outcome: str
    decided_by: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A means of transport on a day; `coach` and `rows` narrow it where they are known."""

    mode: TravelMode
    number: str
    on: date
    coach: str | None = None
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposurePublished(Event):
    """A standing exposure: whoever declares into it later is matched too."""

    TYPE: ClassVar[str] = "exposure.published"
    SUBJECT: ClassVar[str] = "exposure_id"
    exposure_id: str
    case_id: str
    setting: ExposureSetting
    from_at: datetime
    until_at: datetime
    carrier: Carrier | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureWithdrawn(Event):
    """The exposure's case was discarded or amended; its contacts are dropped by name."""

    TYPE: ClassVar[str] = "exposure.withdrawn"
    SUBJECT: ClassVar[str] = "exposure_id"
    exposure_id: str
    case_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactIdentified(Event):
    """A person is a contact of a case: the category says what follows, the kind how it came."""

    TYPE: ClassVar[str] = "contact.identified"
    SUBJECT: ClassVar[str] = "contact_id"
    contact_id: str
    case_id: str
    person_id: str
    household_id: str | None
    building: str
    category: ContactCategory
    kind: ContactKind
    found_by: FoundBy
    first_exposure_on: date
    last_exposure_on: date
    basis: str
    owning_district: str
    policy_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDropped(Event):
    """The contact is none (any more): its case was discarded, or the claim was wrong."""

    TYPE: ClassVar[str] = "contact.dropped"
    SUBJECT: ClassVar[str] = "contact_id"
    contact_id: str
    case_id: str
    person_id: str
    reason: str
