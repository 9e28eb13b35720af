"""RPC documents of places."""

from __future__ import annotations

from lianfang.places import Level
from lianfang.schemas.fields import (
    Answer,
    Count,
    EnumField,
    Flag,
    Id,
    ListOf,
    PlacePath,
    Request,
    Text,
)
from lianfang.vocabulary import CommunityType, PlaceUse


class PlaceDocument(Request):
    """A place to register or amend; a building names the gates it needs as `exits`."""

    path = PlacePath(required=True)
    name = Text(min=1, max=100, required=True)
    use = EnumField(PlaceUse, load_default=PlaceUse.RESIDENCE)
    community_type = EnumField(CommunityType, load_default=None, allow_none=True)
    exits = ListOf(PlacePath(Level.GATE), max=50, load_default=list)
    floors = Count(min=1, max=200, load_default=None, allow_none=True)
    grid = Text(max=40, load_default=None, allow_none=True)
    shared_facilities = Flag(load_default=False)
    aliases = ListOf(Text(min=1, max=200), max=20, load_default=list)


class RegisterPlaceRequest(Request):
    """Up to 1,000 places; what stands above must be known or stand in the same call."""

    places = ListOf(PlaceDocument, max=1000, required=True)


class RegisterPlaceAnswer(Answer):
    """How many are new and how many got other facts."""

    batch_id = Id()
    registered = Count()
    amended = Count()


class FindPlacesRequest(Request):
    """Places at and below one."""

    under = PlacePath(required=True)
    level = EnumField(Level, load_default=None)
    after = Text(max=400, load_default=None)
    limit = Count(min=1, max=500, load_default=50)


class PlaceAnswer(Answer):
    """A place as it is known now."""

    path = Text()
    name = Text()
    level = EnumField(Level)
    use = EnumField(PlaceUse)
    community_type = EnumField(CommunityType, allow_none=True)
    exits = ListOf(Text())
    floors = Count(allow_none=True)
    grid = Text(allow_none=True)
    shared_facilities = Flag()
    provisional = Flag()
    revision = Count()


class PlacesAnswer(Answer):
    """A page of places; `next` goes into the next request's `after`."""

    places = ListOf(PlaceAnswer)
    next = Text(allow_none=True)
