"""The audit of an idle private district, as sentences for a part's outcome."""

from __future__ import annotations

from pathlib import Path

from lianfang.audit import audit_district
from lianfang.testing.district import PrivateDistrict

_NAMED = 3


def audited(
    district: PrivateDistrict, ledger: Path | None = None, excused: str | None = None
) -> list[str]:
    """Each invariant that does not hold, with the first offenders; `ledger` holds the receipts.

    An offender that names what is `excused` was planted by the part itself.
    """
    servers, services = district.servers, district.services
    findings = audit_district(
        servers.mongo_uri, district.prefix, servers.management_uri, district.vhost, ledger, services
    )
    broken = []
    for finding in findings:
        offenders = [each for each in finding.offenders if excused is None or excused not in each]
        if offenders:
            named = ", ".join(offenders[:_NAMED])
            broken.append(f"{finding.en}: {len(offenders)} of {finding.figure} do not: {named}")
    return broken
