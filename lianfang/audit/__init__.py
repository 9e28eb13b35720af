"""Audit of one district: what must hold between its databases, its broker and its callers' ledger.

Asks no service: it reads the documents as they lie there, so it can judge a district that is down.
It must be quiet, though: what is still on its way looks like a difference.
"""

from __future__ import annotations

from lianfang.audit.district import audit, audit_district
from lianfang.audit.finding import Finding

__all__ = ["Finding", "audit", "audit_district"]
