"""RPC documents about organisations, teams, rosters and responsibility."""

from __future__ import annotations

from lianfang.places import COMMAND_LEVELS, Level
from lianfang.schemas.fields import (
    Answer,
    Count,
    EnumField,
    Id,
    Instant,
    ListOf,
    PlacePath,
    Request,
    Text,
)
from lianfang.vocabulary import Role


class RegisterOrganisationRequest(Request):
    """An organisation on one of the five levels; registering it again amends it."""

    org_id = Id(required=True)
    name = Text(required=True, min=1)
    level = EnumField(Level, required=True)
    place = PlacePath(*COMMAND_LEVELS, required=True)


class OrganisationAnswer(Answer):
    """The organisation as it now is."""

    org_id = Id()
    name = Text()
    level = EnumField(Level)
    place = Text()
    revision = Count()


class RegisterTeamRequest(Request):
    """A team of an organisation; `roles` are what its members together may do."""

    team_id = Id(required=True)
    org_id = Id(required=True)
    name = Text(required=True, min=1)
    kind = Text(required=True, min=1, max=40)
    roles = ListOf(EnumField(Role), max=20, required=True)


class ShiftDocument(Request):
    """From and until (excluded)."""

    from_at = Instant(required=True)
    until_at = Instant(required=True)


class TeamAnswer(Answer):
    """The team as it now is."""

    team_id = Id()
    org_id = Id()
    name = Text()
    kind = Text()
    roles = ListOf(EnumField(Role))
    shifts = ListOf(ShiftDocument)
    revision = Count()


class SetRosterRequest(Request):
    """The team's shifts instead of the former; overlapping ones are a conflict."""

    team_id = Id(required=True)
    shifts = ListOf(ShiftDocument, max=1000, required=True)


class SetResponsibilityRequest(Request):
    """The organisation that answers for a place and everything below it."""

    place = PlacePath(required=True)
    org_id = Id(required=True)


class ResponsibilityAnswer(Answer):
    """Who answers for the place now."""

    place = Text()
    org_id = Id()
    revision = Count()


class GetWorkloadRequest(Request):
    """The teams at or below a place."""

    place = PlacePath(required=True)


class TeamLoad(Answer):
    """How many tasks one team has in hand, counted."""

    team_id = Id()
    open = Count()


class WorkloadAnswer(Answer):
    """The load of each team."""

    teams = ListOf(TeamLoad)
