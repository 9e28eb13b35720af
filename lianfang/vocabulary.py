"""The words more than one service speaks: enums whose members equal their wire strings.

Quarantine is for the exposed, isolation for the infected; Chinese 隔离 covers both, these never do.
"""

from __future__ import annotations

from enum import StrEnum


class PlaceUse(StrEnum):
    """What a place is used for."""

    RESIDENCE = "residence"
    DORMITORY = "dormitory"
    WORKPLACE = "workplace"
    SCHOOL = "school"
    MARKET = "market"
    HOTEL = "hotel"
    HOSPITAL = "hospital"
    STATION = "station"


class CommunityType(StrEnum):
    """The three kinds of community policy tells apart (article, paragraph 17)."""

    COMMODITY_HOUSING = "commodity_housing"
    INDUSTRIAL = "industrial"
    URBAN_VILLAGE = "urban_village"


class ResidenceKind(StrEnum):
    """How a person lives in a household; measures follow where the person stays."""

    USUAL = "usual"
    TEMPORARY = "temporary"
    REGISTERED_ONLY = "registered_only"


class Presence(StrEnum):
    """Where a resident is, as last seen or told."""

    PRESENT = "present"
    AWAY_IN_CITY = "away_in_city"
    AWAY = "away"
    MOVED_OUT = "moved_out"
    UNKNOWN = "unknown"


class PresenceSource(StrEnum):
    """Who says so."""

    HEAD_COUNT = "head_count"
    PHONE = "phone"
    GATE = "gate"
    DECLARATION = "declaration"


class Need(StrEnum):
    """What a household needs brought or cared for while it is closed."""

    ELDERLY = "elderly"
    CHRONIC_MEDICINE = "chronic_medicine"
    PREGNANCY = "pregnancy"
    INFANT = "infant"
    DISABILITY = "disability"
    PET = "pet"


class PersonType(StrEnum):
    """返深 returning, 来深 arriving, 留深 stayed (FAQ of 15 Feb 2020)."""

    RETURNING = "returning"
    ARRIVING = "arriving"
    STAYED = "stayed"


class TravelMode(StrEnum):
    """How a leg was travelled."""

    PLANE = "plane"
    TRAIN = "train"
    COACH = "coach"
    BUS = "bus"
    CAR = "car"
    SHIP = "ship"


class Symptom(StrEnum):
    """Symptoms of the declaration form (wording after WS 363.6)."""

    FEVER = "fever"
    FATIGUE = "fatigue"
    DRY_COUGH = "dry_cough"
    DYSPNOEA = "dyspnoea"
    OTHER = "other"


class Outcome(StrEnum):
    """The four outcomes of the city's review of a declaration (notice of 9 Feb 2020)."""

    PASS = "pass"  # noqa: S105 - a verdict
    HOME_QUARANTINE = "home_quarantine"
    CENTRALISED_QUARANTINE = "centralised_quarantine"
    HOSPITAL = "hospital"


class Classification(StrEnum):
    """What a case was recorded as, by a named medic; never computed."""

    REPORTED = "reported"
    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    ASYMPTOMATIC = "asymptomatic"
    DISCARDED = "discarded"
    CLOSED = "closed"


class Custody(StrEnum):
    """Where an infected person is."""

    AT_HOME = "at_home"
    IN_TRANSFER = "in_transfer"
    IN_HOSPITAL = "in_hospital"
    AT_STATION = "at_station"
    DECEASED = "deceased"


class SampleResult(StrEnum):
    """What a laboratory found; a first positive, single or pooled, is preliminary."""

    NEGATIVE = "negative"
    POSITIVE_PRELIMINARY = "positive_preliminary"
    POSITIVE_CONFIRMED = "positive_confirmed"
    INVALID = "invalid"


class Tube(StrEnum):
    """One swab or several in a tube."""

    SINGLE = "single"
    POOLED = "pooled"


class ContactCategory(StrEnum):
    """What follows from a contact; only close contacts fall under P5-3."""

    CLOSE = "close"
    SECONDARY = "secondary"
    GENERAL = "general"


class ContactKind(StrEnum):
    """How the contact came about (China CDC Weekly 2020 guideline)."""

    HOUSEHOLD = "household"
    CARE = "care"
    AEROSOL = "aerosol"
    WORKPLACE = "workplace"
    ELEVATOR = "elevator"
    MEAL = "meal"
    ENTERTAINMENT = "entertainment"
    VISIT = "visit"
    TRANSPORT = "transport"
    NEIGHBOUR = "neighbour"
    OTHER_JUDGED = "other_judged"


class FoundBy(StrEnum):
    """Which way a contact was found."""

    RULE = "rule"
    DECLARATION = "declaration"
    INVESTIGATOR = "investigator"
    CARRIER_LIST = "carrier_list"


class ExposureSetting(StrEnum):
    """Where a standing exposure happened."""

    TRANSPORT = "transport"
    WORKPLACE = "workplace"
    VENUE = "venue"


class Measure(StrEnum):
    """What a person is ordered: `isolation` for the infected, the others for the exposed."""

    ISOLATION = "isolation"
    FACILITY = "facility"
    SEALED = "sealed"
    HOME = "home"


class OrderState(StrEnum):
    """The life of an order; breaches are records, not states."""

    ORDERED = "ordered"
    SERVED = "served"
    OBSERVING = "observing"
    RELEASE_DUE = "release_due"
    RELEASED = "released"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    ENDED_BY_DEATH = "ended_by_death"


class CauseKind(StrEnum):
    """Why an order, a plan or a task exists."""

    CASE = "case"
    SEAL = "seal"
    CONTACT = "contact"
    ASSESSMENT = "assessment"
    FOCUS = "focus"
    ORDER = "order"
    SYMPTOM = "symptom"
    RESIDENT = "resident"


class SealState(StrEnum):
    """The life of a seal, from the rule or a proposal to its end."""

    PROPOSED = "proposed"
    PROVISIONAL = "provisional"
    ORDERED = "ordered"
    APPROVED = "approved"
    RELEASE_DUE = "release_due"
    RELEASED = "released"
    REFUSED = "refused"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


class RollStatus(StrEnum):
    """What became of a person on a seal's roll: expected until somebody looked."""

    EXPECTED = "expected"
    FOUND = "found"
    ABSENT = "absent"
    UNREGISTERED = "unregistered"
    LIVES_ELSEWHERE = "lives_elsewhere"
    TRACED = "traced"
    DOOR_CHECK = "door_check"
    REFUSED_ENTRY = "refused_entry"
    DECEASED = "deceased"


class Finding(StrEnum):
    """What a worker found of one person at a door."""

    PRESENT = "present"
    ABSENT = "absent"
    LIVES_ELSEWHERE = "lives_elsewhere"
    DECEASED = "deceased"
    REFUSED = "refused"


class StopOutcome(StrEnum):
    """How a stop of a round ended."""

    DONE = "done"
    PARTLY_DONE = "partly_done"
    MISSED = "missed"


class Role(StrEnum):
    """What somebody on a team may do; the trinity is the first three."""

    COMMUNITY = "community"
    HEALTH = "health"
    POLICE = "police"
    GRID = "grid"
    PROPERTY = "property"
    VOLUNTEER = "volunteer"
    DRIVER = "driver"
    DISINFECTION = "disinfection"
    INVESTIGATOR = "investigator"
    COUNSELLOR = "counsellor"
