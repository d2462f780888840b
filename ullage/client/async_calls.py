"""Every call of /v1.

Made by tests/support/client_made.py from docs/reference/openapi.json: do not edit."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Literal, TypeVar

from msgspec import UNSET, UnsetType

from ullage.client import shapes
from ullage.client.wire import Call, Page, path

Kind = TypeVar("Kind")


class AsyncCalls(ABC):
    @abstractmethod
    async def _call(self, call: Call[Kind]) -> Kind: ...

    @abstractmethod
    def _pages(self, call: Call[Page[Kind]]) -> AsyncIterator[Kind]: ...

    async def time(self) -> shapes.Time:
        """Needs no token: devices and simulators set their clocks by it."""
        return await self._call(Call("GET", "/v1/time", shapes.Time))

    async def apply(self, document: dict[str, Any]) -> shapes.FleetApplied:
        """Register everything that the document names; what is there already is brought up to it, nothing is
        removed.

        Credentials are those of new devices and are shown this once: an Idempotency-Key is not needed and not
        kept."""
        return await self._call(Call("POST", "/v1/fleet", shapes.FleetApplied, body=document))

    def list_accounts(self, *, limit: int | None = None) -> AsyncIterator[shapes.Account]:
        """The caller's accounts."""
        return self._pages(Call("GET", "/v1/accounts", Page[shapes.Account], query={"limit": limit}))

    async def show_account(self, account_id: int) -> shapes.Account:
        """One account with its ordering mode and limits."""
        return await self._call(Call("GET", path("/v1/accounts/{account_id}", account_id=account_id), shapes.Account))

    def list_sites(self, *, account: int | None = None, limit: int | None = None) -> AsyncIterator[shapes.Site]:
        """Addresses where devices stand and goods are delivered."""
        return self._pages(Call("GET", "/v1/sites", Page[shapes.Site], query={"account": account, "limit": limit}))

    async def show_site(self, site_id: int) -> shapes.SiteWithCalendars:
        """One site, and by which weights its business time has run: given, or learned from its use."""
        return await self._call(Call("GET", path("/v1/sites/{site_id}", site_id=site_id), shapes.SiteWithCalendars))

    def list_spares(self, site_id: int) -> AsyncIterator[shapes.Spares]:
        """All of them on one page."""
        return self._pages(Call("GET", path("/v1/sites/{site_id}/spares", site_id=site_id), Page[shapes.Spares]))

    async def count(self, site_id: int, sku: str, units: float, *, key: str | None = None) -> shapes.Asked:
        """We have counted: so many are on the shelf. What was ordered because the books said less may be
        withdrawn."""
        return await self._call(
            Call(
                "POST",
                path("/v1/sites/{site_id}/spares", site_id=site_id),
                shapes.Asked,
                body={"sku": sku, "units": units},
                once=True,
                key=key,
            )
        )

    async def show_account_ordering(self, account_id: int) -> shapes.Ordering:
        """Mode and pause of the account; the least of account, site and SKU counts."""
        return await self._call(
            Call("GET", path("/v1/accounts/{account_id}/ordering", account_id=account_id), shapes.Ordering)
        )

    async def change_account_ordering(
        self,
        account_id: int,
        *,
        mode: Literal["off", "observe", "ask", "auto"] | UnsetType | None = UNSET,
        paused: bool | UnsetType | None = UNSET,
        counted: bool | UnsetType = UNSET,
    ) -> shapes.Ordering:
        """Set mode or pause. Going to `auto` with shelves that were never counted is a 409 that names them."""
        return await self._call(
            Call(
                "PATCH",
                path("/v1/accounts/{account_id}/ordering", account_id=account_id),
                shapes.Ordering,
                body={"mode": mode, "paused": paused, "counted": counted},
            )
        )

    async def show_site_ordering(self, site_id: int) -> shapes.Ordering:
        """Mode and pause of the site."""
        return await self._call(Call("GET", path("/v1/sites/{site_id}/ordering", site_id=site_id), shapes.Ordering))

    async def change_site_ordering(
        self,
        site_id: int,
        *,
        mode: Literal["off", "observe", "ask", "auto"] | UnsetType | None = UNSET,
        paused: bool | UnsetType | None = UNSET,
        counted: bool | UnsetType = UNSET,
    ) -> shapes.Ordering:
        """The same for one site."""
        return await self._call(
            Call(
                "PATCH",
                path("/v1/sites/{site_id}/ordering", site_id=site_id),
                shapes.Ordering,
                body={"mode": mode, "paused": paused, "counted": counted},
            )
        )

    async def show_product_ordering(self, account_id: int, sku: str) -> shapes.Ordering:
        """Mode and pause of one SKU in the account; `auto` unless somebody said otherwise."""
        return await self._call(
            Call(
                "GET",
                path("/v1/accounts/{account_id}/products/{sku}/ordering", account_id=account_id, sku=sku),
                shapes.Ordering,
            )
        )

    async def change_product_ordering(
        self,
        account_id: int,
        sku: str,
        *,
        mode: Literal["off", "observe", "ask", "auto"] | UnsetType | None = UNSET,
        paused: bool | UnsetType | None = UNSET,
        counted: bool | UnsetType = UNSET,
    ) -> shapes.Ordering:
        """The same for one SKU."""
        return await self._call(
            Call(
                "PATCH",
                path("/v1/accounts/{account_id}/products/{sku}/ordering", account_id=account_id, sku=sku),
                shapes.Ordering,
                body={"mode": mode, "paused": paused, "counted": counted},
            )
        )

    def list_devices(
        self, *, account: int | None = None, site: int | None = None, name: str | None = None, limit: int | None = None
    ) -> AsyncIterator[shapes.Device]:
        """Machines; `name` finds one by its name."""
        return self._pages(
            Call(
                "GET",
                "/v1/devices",
                Page[shapes.Device],
                query={"account": account, "site": site, "name": name, "limit": limit},
            )
        )

    async def show_device(self, device_id: int) -> shapes.DeviceWithSlots:
        """One device with all of its slots."""
        return await self._call(
            Call("GET", path("/v1/devices/{device_id}", device_id=device_id), shapes.DeviceWithSlots)
        )

    def list_models(self, *, limit: int | None = None) -> AsyncIterator[shapes.DeviceModel]:
        """What devices there are, with the slots that each has and the products that fit."""
        return self._pages(Call("GET", "/v1/device-models", Page[shapes.DeviceModel], query={"limit": limit}))

    def list_products(self, *, limit: int | None = None) -> AsyncIterator[shapes.Product]:
        """What is sold to fill slots."""
        return self._pages(Call("GET", "/v1/products", Page[shapes.Product], query={"limit": limit}))

    def list_slots(
        self,
        *,
        sort: Literal["id", "empty_at"] | None = None,
        account: int | None = None,
        site: int | None = None,
        device: int | None = None,
        product: int | None = None,
        band: Literal["fine", "watch", "at_risk", "empty"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[shapes.Slot]:
        """Slots that the caller may see. `sort=empty_at`: those that run empty first; without those never heard
        of."""
        return self._pages(
            Call(
                "GET",
                "/v1/slots",
                Page[shapes.Slot],
                query={
                    "sort": sort,
                    "account": account,
                    "site": site,
                    "device": device,
                    "product": product,
                    "band": band,
                    "limit": limit,
                },
            )
        )

    async def show_slot(self, slot_id: int) -> shapes.SlotDetail:
        """One slot with all quantiles and its newest refills."""
        return await self._call(Call("GET", path("/v1/slots/{slot_id}", slot_id=slot_id), shapes.SlotDetail))

    async def show_why(self, slot_id: int) -> shapes.Why:
        """Why it is (not) ordered: probability, threshold, cover, guard, mode, offers, alerts."""
        return await self._call(Call("GET", path("/v1/slots/{slot_id}/why", slot_id=slot_id), shapes.Why))

    async def reorder(self, slot_id: int, *, test: bool | None = None, key: str | None = None) -> shapes.Asked:
        """Ask for a refill: skips the probability, never the guard (one open need per slot, cover)."""
        return await self._call(
            Call(
                "POST",
                path("/v1/slots/{slot_id}/reorder", slot_id=slot_id),
                shapes.Asked,
                query={"test": test},
                once=True,
                key=key,
            )
        )

    async def reorder_named(
        self, device_id: int, slot: str, *, test: bool | None = None, key: str | None = None
    ) -> shapes.Asked:
        """The same by the slot's name in its device."""
        return await self._call(
            Call(
                "POST",
                path("/v1/devices/{device_id}/slots/{slot}/reorder", device_id=device_id, slot=slot),
                shapes.Asked,
                query={"test": test},
                once=True,
                key=key,
            )
        )

    async def swapped(self, slot_id: int, *, key: str | None = None) -> shapes.Asked:
        """I have put a new supply in."""
        return await self._call(
            Call("POST", path("/v1/slots/{slot_id}/swapped", slot_id=slot_id), shapes.Asked, once=True, key=key)
        )

    async def reverse(self, slot_id: int, cycle: int, *, key: str | None = None) -> shapes.Asked:
        """What ended this cycle was no refill: the cycles merge and keep both numbers."""
        return await self._call(
            Call(
                "POST",
                path("/v1/slots/{slot_id}/cycles/{cycle}/reverse", slot_id=slot_id, cycle=cycle),
                shapes.Asked,
                once=True,
                key=key,
            )
        )

    async def show_history(
        self, slot_id: int, *, since: datetime | None = None, until: datetime | None = None, limit: int | None = None
    ) -> shapes.History:
        """The last 30 days, or from `since` to `until`."""
        return await self._call(
            Call(
                "GET",
                path("/v1/slots/{slot_id}/history", slot_id=slot_id),
                shapes.History,
                query={"since": since, "until": until, "limit": limit},
            )
        )

    async def show_usage(self, slot_id: int, *, days: int | None = None) -> shapes.Usage:
        """Use per local day, newest first."""
        return await self._call(
            Call("GET", path("/v1/slots/{slot_id}/usage", slot_id=slot_id), shapes.Usage, query={"days": days})
        )

    async def show_forecast(
        self, slot_id: int, *, before: list[datetime] | None = None, quantile: list[float] | None = None
    ) -> shapes.Forecast:
        """Quantiles of the days until empty, and P(empty before a date)."""
        return await self._call(
            Call(
                "GET",
                path("/v1/slots/{slot_id}/forecast", slot_id=slot_id),
                shapes.Forecast,
                query={"before": before, "quantile": quantile},
            )
        )

    async def show_demand(
        self,
        *,
        sku: str,
        site: int | None = None,
        account: int | None = None,
        weeks: int | None = None,
        quantiles: str | None = None,
    ) -> shapes.Demand:
        """Units of a product that will be used per week, at a site, in an account, or everywhere that the caller
        sees."""
        return await self._call(
            Call(
                "GET",
                "/v1/demand",
                shapes.Demand,
                query={"sku": sku, "site": site, "account": account, "weeks": weeks, "quantiles": quantiles},
            )
        )

    def list_needs(
        self,
        *,
        state: Literal["open", "met", "withdrawn", "refused", "failed"] | None = None,
        slot: int | None = None,
        site: int | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[shapes.Need]:
        """In the order in which they opened."""
        return self._pages(
            Call(
                "GET",
                "/v1/needs",
                Page[shapes.Need],
                query={"state": state, "slot": slot, "site": site, "limit": limit},
            )
        )

    async def show_need(self, need_id: int) -> shapes.Need:
        """One need."""
        return await self._call(Call("GET", path("/v1/needs/{need_id}", need_id=need_id), shapes.Need))

    async def release(self, need_id: int, *, key: str | None = None) -> shapes.Need:
        """A refused need blocks its slot: release it, and the slot may be ordered for again."""
        return await self._call(
            Call("POST", path("/v1/needs/{need_id}/release", need_id=need_id), shapes.Need, once=True, key=key)
        )

    def list_orders(
        self,
        *,
        state: Literal[
            "proposed",
            "awaiting",
            "approved",
            "placed",
            "acknowledged",
            "cancel_requested",
            "part_shipped",
            "shipped",
            "part_delivered",
            "delivered",
            "rejected",
            "expired",
            "cancelled",
            "failed",
        ]
        | None = None,
        account: int | None = None,
        site: int | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[shapes.Order]:
        """Newest first."""
        return self._pages(
            Call(
                "GET",
                "/v1/orders",
                Page[shapes.Order],
                query={"state": state, "account": account, "site": site, "limit": limit},
            )
        )

    async def show_order(self, order_id: int) -> shapes.OrderDetail:
        """With lines, the needs that they answer, purchase orders and approvals."""
        return await self._call(Call("GET", path("/v1/orders/{order_id}", order_id=order_id), shapes.OrderDetail))

    async def show_receipt(self, order_id: int) -> shapes.Receipt:
        """Why it was ordered, frozen when it was placed: readings, forecast, alternatives, price, budget,
        approval.

        Inside `receipt` figures stand as they were used: times in ms, levels in per cent."""
        return await self._call(Call("GET", path("/v1/orders/{order_id}/receipt", order_id=order_id), shapes.Receipt))

    async def approve(
        self, order_id: int, *, reason: str | UnsetType = UNSET, key: str | None = None
    ) -> shapes.Approved:
        """Price, limits and budget are checked again first. `price_changed`: look at the new total, then approve
        again.

        Who is somebody's deputy approves in that name where their own limits do not suffice."""
        return await self._call(
            Call(
                "POST",
                path("/v1/orders/{order_id}/approve", order_id=order_id),
                shapes.Approved,
                body={"reason": reason},
                once=True,
                key=key,
            )
        )

    async def carry(
        self,
        order_id: int,
        *,
        reference: str | UnsetType | None = UNSET,
        blanket_order: str | UnsetType | None = UNSET,
        cost_centre: str | UnsetType | None = UNSET,
        key: str | None = None,
    ) -> shapes.OrderDetail:
        """Reference, blanket purchase order, cost centre; until it is approved. A cost centre spends its own
        budget."""
        return await self._call(
            Call(
                "POST",
                path("/v1/orders/{order_id}/details", order_id=order_id),
                shapes.OrderDetail,
                body={"reference": reference, "blanket_order": blanket_order, "cost_centre": cost_centre},
                once=True,
                key=key,
            )
        )

    async def reject(self, order_id: int, reason: str, *, key: str | None = None) -> shapes.State:
        """Its needs are refused: these slots are not ordered for until a new cycle begins or somebody releases the
        need."""
        return await self._call(
            Call(
                "POST",
                path("/v1/orders/{order_id}/reject", order_id=order_id),
                shapes.State,
                body={"reason": reason},
                once=True,
                key=key,
            )
        )

    async def cancel(self, order_id: int, *, reason: str | UnsetType = UNSET, key: str | None = None) -> shapes.State:
        """At once before it is placed; afterwards the supplier is asked (`cancel_requested`)."""
        return await self._call(
            Call(
                "POST",
                path("/v1/orders/{order_id}/cancel", order_id=order_id),
                shapes.State,
                body={"reason": reason},
                once=True,
                key=key,
            )
        )

    async def lost(
        self,
        order_id: int,
        *,
        reason: str | UnsetType = UNSET,
        lines: list[int] | UnsetType = UNSET,
        key: str | None = None,
    ) -> shapes.State:
        """A person says that the goods will not come: the needs fail and are ordered again."""
        return await self._call(
            Call(
                "POST",
                path("/v1/orders/{order_id}/lost", order_id=order_id),
                shapes.State,
                body={"reason": reason, "lines": lines},
                once=True,
                key=key,
            )
        )

    def list_purchase_orders(
        self, *, state: str | None = None, limit: int | None = None
    ) -> AsyncIterator[shapes.PurchaseOrder]:
        """Newest first; a supplier sees its own."""
        return self._pages(
            Call("GET", "/v1/purchase-orders", Page[shapes.PurchaseOrder], query={"state": state, "limit": limit})
        )

    async def show_purchase_order(self, number: int) -> shapes.PurchaseOrderDetail:
        """One with its lines."""
        return await self._call(
            Call("GET", path("/v1/purchase-orders/{number}", number=number), shapes.PurchaseOrderDetail)
        )

    async def acknowledge(self, number: int, lines: list[shapes.LineAnswer], *, key: str | None = None) -> shapes.State:
        """The supplier accepts or refuses, line by line."""
        return await self._call(
            Call(
                "POST",
                path("/v1/purchase-orders/{number}/acknowledge", number=number),
                shapes.State,
                body={"lines": lines},
                once=True,
                key=key,
            )
        )

    async def answer_cancel(self, number: int, granted: bool, *, key: str | None = None) -> shapes.State:
        """The supplier's yes or no to a cancellation that was asked for."""
        return await self._call(
            Call(
                "POST",
                path("/v1/purchase-orders/{number}/answer-cancel", number=number),
                shapes.State,
                body={"granted": granted},
                once=True,
                key=key,
            )
        )

    async def ship(self, number: int, lines: list[shapes.LineQuantity], *, key: str | None = None) -> shapes.State:
        """The supplier has sent so many packs."""
        return await self._call(
            Call(
                "POST",
                path("/v1/purchase-orders/{number}/ship", number=number),
                shapes.State,
                body={"lines": lines},
                once=True,
                key=key,
            )
        )

    async def deliver(self, number: int, lines: list[shapes.LineQuantity], *, key: str | None = None) -> shapes.State:
        """So many packs have arrived: they are on the shelf from now on."""
        return await self._call(
            Call(
                "POST",
                path("/v1/purchase-orders/{number}/deliver", number=number),
                shapes.State,
                body={"lines": lines},
                once=True,
                key=key,
            )
        )

    async def show_request(self, request_id: str) -> shapes.Asked:
        """What came of a reorder, count, swap or reversal; `outcome` is null until it is answered."""
        return await self._call(Call("GET", path("/v1/requests/{request_id}", request_id=request_id), shapes.Asked))

    def list_alerts(
        self, *, raised: bool | None = None, site: int | None = None, limit: int | None = None
    ) -> AsyncIterator[shapes.Alert]:
        """Newest first; `raised=false` shows those that are over as well."""
        return self._pages(
            Call("GET", "/v1/alerts", Page[shapes.Alert], query={"raised": raised, "site": site, "limit": limit})
        )

    def list_tasks(
        self, *, state: Literal["open", "done"] | None = None, site: int | None = None, limit: int | None = None
    ) -> AsyncIterator[shapes.Task]:
        """What only a person can do, newest first."""
        return self._pages(
            Call("GET", "/v1/tasks", Page[shapes.Task], query={"state": state, "site": site, "limit": limit})
        )

    def list_quarantine(
        self,
        *,
        state: Literal["held", "discarded", "replayed"] | None = None,
        device: int | None = None,
        code: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[shapes.Held]:
        """Input that was acknowledged but cannot be used, newest first."""
        return self._pages(
            Call(
                "GET",
                "/v1/quarantine",
                Page[shapes.Held],
                query={"state": state, "device": device, "code": code, "limit": limit},
            )
        )

    async def show_held(self, held_id: int) -> shapes.HeldDetail:
        """With what was received, and what of it would be taken today."""
        return await self._call(Call("GET", path("/v1/quarantine/{held_id}", held_id=held_id), shapes.HeldDetail))

    async def replay_many(
        self,
        *,
        reason: str | UnsetType = UNSET,
        fix: dict[str, Any] | UnsetType | None = UNSET,
        ids: list[int] | UnsetType = UNSET,
        device: int | UnsetType | None = UNSET,
        code: str | UnsetType | None = UNSET,
        released: bool | UnsetType = UNSET,
        key: str | None = None,
    ) -> shapes.ReplayedMany:
        """Take them again, as they would be taken today or corrected; each once. What is refused still stays."""
        return await self._call(
            Call(
                "POST",
                "/v1/quarantine/replay",
                shapes.ReplayedMany,
                body={"reason": reason, "fix": fix, "ids": ids, "device": device, "code": code, "released": released},
                once=True,
                key=key,
            )
        )

    async def discard_many(
        self,
        reason: str,
        *,
        ids: list[int] | UnsetType = UNSET,
        device: int | UnsetType | None = UNSET,
        code: str | UnsetType | None = UNSET,
        key: str | None = None,
    ) -> shapes.DiscardedMany:
        """They will not be looked at again, but stay on record."""
        return await self._call(
            Call(
                "POST",
                "/v1/quarantine/discard",
                shapes.DiscardedMany,
                body={"ids": ids, "device": device, "code": code, "reason": reason},
                once=True,
                key=key,
            )
        )

    async def replay(
        self,
        held_id: int,
        *,
        reason: str | UnsetType = UNSET,
        fix: dict[str, Any] | UnsetType | None = UNSET,
        message: dict[str, Any] | UnsetType | None = UNSET,
        key: str | None = None,
    ) -> shapes.HeldDetail:
        """Take it again, as it would be taken today or corrected: it becomes a reading, once."""
        return await self._call(
            Call(
                "POST",
                path("/v1/quarantine/{held_id}/replay", held_id=held_id),
                shapes.HeldDetail,
                body={"reason": reason, "fix": fix, "message": message},
                once=True,
                key=key,
            )
        )

    async def discard(
        self, held_id: int, *, reason: str | UnsetType = UNSET, key: str | None = None
    ) -> shapes.HeldDetail:
        """It will not be looked at again, but stays on record."""
        return await self._call(
            Call(
                "POST",
                path("/v1/quarantine/{held_id}/discard", held_id=held_id),
                shapes.HeldDetail,
                body={"reason": reason},
                once=True,
                key=key,
            )
        )

    def list_subscriptions(self, *, limit: int | None = None) -> AsyncIterator[shapes.Subscription]:
        """Without their secrets."""
        return self._pages(Call("GET", "/v1/subscriptions", Page[shapes.Subscription], query={"limit": limit}))

    async def subscribe(
        self,
        name: str,
        channel: Literal["webhook", "email"],
        target: str,
        *,
        account: str | UnsetType | None = UNSET,
        kinds: list[str] | UnsetType = UNSET,
        digest_minutes: int | UnsetType = UNSET,
        key: str | None = None,
    ) -> shapes.SubscriptionMade:
        """Tells what happens from now on. The secret of a webhook is shown this once."""
        return await self._call(
            Call(
                "POST",
                "/v1/subscriptions",
                shapes.SubscriptionMade,
                body={
                    "name": name,
                    "channel": channel,
                    "target": target,
                    "account": account,
                    "kinds": kinds,
                    "digest_minutes": digest_minutes,
                },
                once=True,
                key=key,
            )
        )

    async def show_subscription(self, subscription_id: int) -> shapes.Subscription:
        """One subscription, without its secret."""
        return await self._call(
            Call(
                "GET", path("/v1/subscriptions/{subscription_id}", subscription_id=subscription_id), shapes.Subscription
            )
        )

    async def change_subscription(
        self,
        subscription_id: int,
        *,
        kinds: list[str] | UnsetType | None = UNSET,
        digest_minutes: int | UnsetType | None = UNSET,
        paused: bool | UnsetType | None = UNSET,
    ) -> shapes.Subscription:
        """Pause, resume, other kinds, another digest. What happens while it is paused is not told later."""
        return await self._call(
            Call(
                "PATCH",
                path("/v1/subscriptions/{subscription_id}", subscription_id=subscription_id),
                shapes.Subscription,
                body={"kinds": kinds, "digest_minutes": digest_minutes, "paused": paused},
            )
        )

    async def unsubscribe(self, subscription_id: int) -> shapes.Subscription:
        """What still waits for it is not delivered."""
        return await self._call(
            Call(
                "DELETE",
                path("/v1/subscriptions/{subscription_id}", subscription_id=subscription_id),
                shapes.Subscription,
            )
        )

    async def rotate_secret(self, subscription_id: int, *, key: str | None = None) -> shapes.SubscriptionMade:
        """A new secret, shown this once; messages are signed with it from now on."""
        return await self._call(
            Call(
                "POST",
                path("/v1/subscriptions/{subscription_id}/secret", subscription_id=subscription_id),
                shapes.SubscriptionMade,
                once=True,
                key=key,
            )
        )

    async def send_test(self, subscription_id: int, *, key: str | None = None) -> shapes.TestSent:
        """Send a message of type `test`; whether it arrived is in the list of what was sent."""
        return await self._call(
            Call(
                "POST",
                path("/v1/subscriptions/{subscription_id}/test", subscription_id=subscription_id),
                shapes.TestSent,
                once=True,
                key=key,
            )
        )

    async def tell_again(self, subscription_id: int, after: int, *, key: str | None = None) -> shapes.Subscription:
        """Tell again what happened: with the same message ids, so that who has a message already knows it."""
        return await self._call(
            Call(
                "POST",
                path("/v1/subscriptions/{subscription_id}/replay", subscription_id=subscription_id),
                shapes.Subscription,
                body={"after": after},
                once=True,
                key=key,
            )
        )

    def list_sent(self, subscription_id: int, *, limit: int | None = None) -> AsyncIterator[shapes.Sent]:
        """What was sent and what waits, newest first."""
        return self._pages(
            Call(
                "GET",
                path("/v1/subscriptions/{subscription_id}/sent", subscription_id=subscription_id),
                Page[shapes.Sent],
                query={"limit": limit},
            )
        )

    async def show_me(self) -> shapes.Me:
        """Whose token this is, and what it may do."""
        return await self._call(Call("GET", "/v1/me", shapes.Me))

    def list_people(self, *, limit: int | None = None) -> AsyncIterator[shapes.Person]:
        """Those whose accounts are all yours; in the order in which they were made, also those who ended."""
        return self._pages(Call("GET", "/v1/people", Page[shapes.Person], query={"limit": limit}))

    async def create_person(
        self,
        name: str,
        role: Literal["viewer", "buyer", "approver", "account_admin", "planner", "operator", "supplier"],
        accounts: list[int] | None,
        *,
        email: str | UnsetType | None = UNSET,
        supplier_id: int | UnsetType | None = UNSET,
        key: str | None = None,
    ) -> shapes.Person:
        """They come in by a one-time link, by OpenID Connect, or by a token. Nobody gives more than is theirs."""
        return await self._call(
            Call(
                "POST",
                "/v1/people",
                shapes.Person,
                body={"name": name, "email": email, "role": role, "accounts": accounts, "supplier_id": supplier_id},
                once=True,
                key=key,
            )
        )

    async def show_person(self, person_id: int) -> shapes.Person:
        """One."""
        return await self._call(Call("GET", path("/v1/people/{person_id}", person_id=person_id), shapes.Person))

    async def change_person(
        self,
        person_id: int,
        *,
        name: str | UnsetType | None = UNSET,
        email: str | UnsetType | None = UNSET,
        role: Literal["viewer", "buyer", "approver", "account_admin", "planner", "operator", "supplier"]
        | UnsetType
        | None = UNSET,
        accounts: list[int] | UnsetType | None = UNSET,
        key: str | None = None,
    ) -> shapes.Person:
        """Another role or other accounts count at once, also for the person's tokens and sessions."""
        return await self._call(
            Call(
                "POST",
                path("/v1/people/{person_id}/change", person_id=person_id),
                shapes.Person,
                body={"name": name, "email": email, "role": role, "accounts": accounts},
                once=True,
                key=key,
            )
        )

    async def end_person(self, person_id: int, *, key: str | None = None) -> shapes.Person:
        """They may not come in any more: their tokens, links and sessions end. What they approved stays theirs."""
        return await self._call(
            Call("POST", path("/v1/people/{person_id}/end", person_id=person_id), shapes.Person, once=True, key=key)
        )

    def list_tokens(self, *, limit: int | None = None) -> AsyncIterator[shapes.Token]:
        """Those whose accounts are all yours, without their secrets; also the revoked ones."""
        return self._pages(Call("GET", "/v1/tokens", Page[shapes.Token], query={"limit": limit}))

    async def create_token(
        self,
        name: str,
        *,
        person_id: int | UnsetType | None = UNSET,
        role: Literal["viewer", "buyer", "approver", "account_admin", "planner", "operator", "supplier"]
        | UnsetType
        | None = UNSET,
        accounts: list[int] | UnsetType | None = UNSET,
        supplier_id: int | UnsetType | None = UNSET,
        scopes: list[Literal["read", "order", "approve", "administer", "plan", "catalogue", "operate", "supply"]]
        | UnsetType = UNSET,
        expires_in_days: int | UnsetType | None = UNSET,
    ) -> shapes.MadeToken:
        """Its secret is shown this once. Only the person itself makes one that approves: for others leave it out."""
        return await self._call(
            Call(
                "POST",
                "/v1/tokens",
                shapes.MadeToken,
                body={
                    "name": name,
                    "person_id": person_id,
                    "role": role,
                    "accounts": accounts,
                    "supplier_id": supplier_id,
                    "scopes": scopes,
                    "expires_in_days": expires_in_days,
                },
            )
        )

    async def show_token(self, token_id: int) -> shapes.Token:
        """One, without its secret."""
        return await self._call(Call("GET", path("/v1/tokens/{token_id}", token_id=token_id), shapes.Token))

    async def rotate_token(self, token_id: int, *, overlap_s: int | UnsetType = UNSET) -> shapes.MadeToken:
        """A new secret, shown this once; the old one lives on for `overlap_s`. People rotate their own themselves."""
        return await self._call(
            Call(
                "POST",
                path("/v1/tokens/{token_id}/rotate", token_id=token_id),
                shapes.MadeToken,
                body={"overlap_s": overlap_s},
            )
        )

    async def revoke_token(self, token_id: int) -> shapes.Token:
        """At once and for ever."""
        return await self._call(Call("POST", path("/v1/tokens/{token_id}/revoke", token_id=token_id), shapes.Token))

    def list_limits(self, account_id: int, *, limit: int | None = None) -> AsyncIterator[shapes.Limit]:
        """Spending limits of people, roles and automatic orders."""
        return self._pages(
            Call(
                "GET",
                path("/v1/accounts/{account_id}/limits", account_id=account_id),
                Page[shapes.Limit],
                query={"limit": limit},
            )
        )

    async def put_limit(
        self,
        account_id: int,
        *,
        person_id: int | UnsetType | None = UNSET,
        role: Literal["viewer", "buyer", "approver", "account_admin", "planner", "operator", "supplier"]
        | UnsetType
        | None = UNSET,
        cost_centre: str | UnsetType = UNSET,
        per_order: float | str | UnsetType | None = UNSET,
        per_span: float | str | UnsetType | None = UNSET,
        span_days: float | UnsetType | None = UNSET,
        key: str | None = None,
    ) -> shapes.Limit:
        """Per order and per span of days. A person's own limit counts before their role's; a cost centre's before
        all."""
        return await self._call(
            Call(
                "POST",
                path("/v1/accounts/{account_id}/limits", account_id=account_id),
                shapes.Limit,
                body={
                    "person_id": person_id,
                    "role": role,
                    "cost_centre": cost_centre,
                    "per_order": per_order,
                    "per_span": per_span,
                    "span_days": span_days,
                },
                once=True,
                key=key,
            )
        )

    async def remove_limit(self, limit_id: int) -> shapes.Limit:
        """From now on it limits nothing."""
        return await self._call(Call("DELETE", path("/v1/limits/{limit_id}", limit_id=limit_id), shapes.Limit))

    def list_budgets(
        self, account_id: int, *, month: str | None = None, limit: int | None = None
    ) -> AsyncIterator[shapes.Budget]:
        """By cost centre and month, the newest first: what there is, reserved and spent."""
        return self._pages(
            Call(
                "GET",
                path("/v1/accounts/{account_id}/budgets", account_id=account_id),
                Page[shapes.Budget],
                query={"month": month, "limit": limit},
            )
        )

    async def set_budget(
        self,
        account_id: int,
        amount: float | str,
        *,
        cost_centre: str | UnsetType = UNSET,
        month: str | UnsetType | None = UNSET,
        key: str | None = None,
    ) -> shapes.Budget:
        """A cost centre with a budget spends its own, the others the account's."""
        return await self._call(
            Call(
                "POST",
                path("/v1/accounts/{account_id}/budgets", account_id=account_id),
                shapes.Budget,
                body={"amount": amount, "cost_centre": cost_centre, "month": month},
                once=True,
                key=key,
            )
        )

    async def show_account_purchasing(self, account_id: int) -> shapes.AccountPurchasing:
        """What new orders of the account carry."""
        return await self._call(
            Call("GET", path("/v1/accounts/{account_id}/purchasing", account_id=account_id), shapes.AccountPurchasing)
        )

    async def set_account_purchasing(
        self,
        account_id: int,
        *,
        reference: str | UnsetType | None = UNSET,
        blanket_order: str | UnsetType | None = UNSET,
        cost_centre: str | UnsetType | None = UNSET,
        escalate_to: int | UnsetType | None = UNSET,
        key: str | None = None,
    ) -> shapes.AccountPurchasing:
        """Reference, blanket purchase order and cost centre of new orders; who is asked when nobody approved in
        time."""
        return await self._call(
            Call(
                "POST",
                path("/v1/accounts/{account_id}/purchasing", account_id=account_id),
                shapes.AccountPurchasing,
                body={
                    "reference": reference,
                    "blanket_order": blanket_order,
                    "cost_centre": cost_centre,
                    "escalate_to": escalate_to,
                },
                once=True,
                key=key,
            )
        )

    async def show_site_purchasing(self, site_id: int) -> shapes.Purchasing:
        """What new orders of the site carry; empty: what the account's carry."""
        return await self._call(Call("GET", path("/v1/sites/{site_id}/purchasing", site_id=site_id), shapes.Purchasing))

    async def set_site_purchasing(
        self,
        site_id: int,
        *,
        reference: str | UnsetType | None = UNSET,
        blanket_order: str | UnsetType | None = UNSET,
        cost_centre: str | UnsetType | None = UNSET,
        key: str | None = None,
    ) -> shapes.Purchasing:
        """Reference, blanket purchase order and cost centre of new orders; an empty one is the account's again."""
        return await self._call(
            Call(
                "POST",
                path("/v1/sites/{site_id}/purchasing", site_id=site_id),
                shapes.Purchasing,
                body={"reference": reference, "blanket_order": blanket_order, "cost_centre": cost_centre},
                once=True,
                key=key,
            )
        )

    def list_delegations(self, *, limit: int | None = None) -> AsyncIterator[shapes.Delegation]:
        """Those that you gave or were given; for an administrator those of their accounts. Also past ones, newest
        first."""
        return self._pages(Call("GET", "/v1/delegations", Page[shapes.Delegation], query={"limit": limit}))

    async def delegate(
        self, deputy_id: int, starts_at: datetime, ends_at: datetime, *, key: str | None = None
    ) -> shapes.Delegation:
        """Somebody approves in your name, from - until, within your limits. Only you delegate what is yours."""
        return await self._call(
            Call(
                "POST",
                "/v1/delegations",
                shapes.Delegation,
                body={"deputy_id": deputy_id, "starts_at": starts_at, "ends_at": ends_at},
                once=True,
                key=key,
            )
        )

    async def end_delegation(self, delegation_id: int) -> shapes.Delegation:
        """Yours, or as an administrator any of your accounts. What was approved by it stays."""
        return await self._call(
            Call("DELETE", path("/v1/delegations/{delegation_id}", delegation_id=delegation_id), shapes.Delegation)
        )

    def list_audit(
        self, *, subject: str | None = None, by: str | None = None, limit: int | None = None
    ) -> AsyncIterator[shapes.AuditEntry]:
        """Every change that a person or program asked for, with how it was before and after; newest first.

        What is no account's (products, suppliers, people of several accounts) is shown to who sees all
        accounts."""
        return self._pages(
            Call("GET", "/v1/audit", Page[shapes.AuditEntry], query={"subject": subject, "by": by, "limit": limit})
        )
