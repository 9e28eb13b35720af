"""The SDK for integrators: call a district over RPC. Needs kombu, nothing of the runtime."""

from __future__ import annotations

from lianfang.client.district import District

__all__ = ["District"]
