"""What users tell the product over HTTP: that they swapped a supply, and how many spares they counted.

A telling is on record until the product has answered, and carries the same idempotency key at each attempt.
"""

from dataclasses import dataclass, field

from devices_sim.api_client import Api, Refused
from devices_sim.fleet import Plan
from devices_sim.truth import Count, Truth


@dataclass(slots=True)
class Teller:
    """Knows the product's numbers of slots and sites once it has asked for them."""

    plan: Plan
    truth: Truth
    api: Api
    _slots: dict[tuple[str, str, str], int] = field(default_factory=dict)
    _sites: dict[str, int] = field(default_factory=dict)

    def waits(self) -> bool:
        return bool(self.truth.untold(1) or self.truth.untold_counts(1))

    async def tell(self) -> list[tuple[str, int | None, str]]:
        """Tell what is untold, a page of it; what the product refused as (kind, device index, slot or SKU).

        Raises Unavailable to be called again later."""
        refused: list[tuple[str, int | None, str]] = []
        start = self.truth.meta("start")
        for number, device, slot, what in self.truth.untold():
            found = await self._slot(device, slot)
            if not await self._post(f"/v1/slots/{found}/{what}", None, f"{start}-tell-{number}"):
                refused.append((f"{what}_refused", device, slot))
            self.truth.told(number)
        for number, count in self.truth.untold_counts():
            found = await self._site(count)
            body = {"sku": count.sku, "units": count.units}
            if not await self._post(f"/v1/sites/{found}/spares", body, f"{start}-count-{number}"):
                refused.append(("counted_refused", None, count.sku))
            self.truth.count_told(number)
        return refused

    async def _post(self, path: str, body: object, key: str) -> bool:
        """False: the product will never take it."""
        try:
            await self.api.call("POST", path, body=body, key=key)
        except Refused as error:
            if error.status >= 500:
                raise
            return False
        return True

    async def _slot(self, index: int, slot: str) -> int:
        """The product's number of a slot; 0, which is none, if it has none of that name."""
        device = self.plan.devices[index]
        if not self._slots:
            async for item in self.api.pages("/v1/slots"):
                self._slots[str(item["account"]), str(item["device"]), str(item["name"])] = int(item["id"])
        return self._slots.get((device.site.account, device.name, slot), 0)

    async def _site(self, count: Count) -> int:
        if not self._sites:
            async for item in self.api.pages("/v1/sites"):
                self._sites[f"{item['account']}/{item['name']}"] = int(item["id"])
        return self._sites.get(count.site, 0)
