"""Device models: counters, the template of slots, what fits into them, and what is known of such slots beforehand."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, select, update

from ledger.engine import upsert
from ledger.facts import enqueue_classes
from ledger.registry.common import PAGE, Invalid, check_name, missing
from ledger.tables import device_model, model_slot, model_slot_product, slot_class
from models.facts import ClassFact, Meter, Refill

MAX_COUNTERS = 4
PRIOR = ClassFact(version=0, slot_class=0)


class Counter(msgspec.Struct, frozen=True):
    name: str
    wrap: int = 0  # starts again at 0 after wrap - 1; 0: never
    per_day: float = 1e9  # plausible at most
    usual: float = 0.0  # per business day of a usual device; 0: unknown, then it cannot be a clock


class Fit(msgspec.Struct, frozen=True):
    product_id: int
    units: float = 1.0  # refills (swap) or capacity units (top-up) of one unit of stock


class SlotTemplate(msgspec.Struct, frozen=True):
    name: str
    meter: Meter
    refill: Refill
    capacity: float
    unit: str
    counter: int = 0
    clock: int = -1  # of meter level: the counter that uses it up; -1: the calendar
    quantum: float = 1.0
    days: float = 0.0  # how long a supply usually lasts, business days; 0: unknown
    ascending: bool = False
    fits: tuple[Fit, ...] = ()  # preferred first
    id: int = 0  # of model_slot, once stored
    class_id: int = 0


class DeviceModel(msgspec.Struct, frozen=True):
    id: int
    name: str
    counters: tuple[Counter, ...]
    slots: tuple[SlotTemplate, ...]


def ensure(
    tx: Connection, name: str, counters: Sequence[Counter], slots: Sequence[SlotTemplate], now: int
) -> DeviceModel:
    """Create or change by name. Slots that are no longer listed stay (devices have them). Raises Invalid."""
    check_name("device model", name)
    _check(name, counters, slots)
    body = [msgspec.to_builtins(counter) for counter in counters]
    if not tx.execute(update(device_model).where(device_model.c.name == name).values(counters=body)).rowcount:
        tx.execute(device_model.insert().values(name=name, counters=body, created=now))
    model_id = tx.execute(select(device_model.c.id).where(device_model.c.name == name)).scalar_one()
    for template in slots:
        _ensure_slot(tx, model_id, template)
    return get(tx, model_id)


def find(tx: Connection, name: str) -> DeviceModel:
    model_id = tx.scalar(select(device_model.c.id).where(device_model.c.name == name))
    if model_id is None:
        raise missing("device model", name)
    return get(tx, model_id)


def get(tx: Connection, model_id: int) -> DeviceModel:
    row = tx.execute(select(device_model).where(device_model.c.id == model_id)).one_or_none()
    if row is None:
        raise missing("device model", model_id)
    templates = select(model_slot, slot_class.c.id.label("class_id"), slot_class.c.rate).join(
        slot_class, slot_class.c.model_slot_id == model_slot.c.id
    )
    slots = tx.execute(templates.where(model_slot.c.model_id == model_id).order_by(model_slot.c.id)).all()
    fits = tx.execute(
        select(model_slot_product)
        .where(model_slot_product.c.model_slot_id.in_([slot.id for slot in slots]))
        .order_by(model_slot_product.c.preference, model_slot_product.c.product_id)
    ).all()
    return DeviceModel(
        id=row.id,
        name=row.name,
        counters=tuple(msgspec.convert(counter, Counter) for counter in row.counters),
        slots=tuple(
            SlotTemplate(
                name=slot.name,
                meter=Meter(slot.meter),
                refill=Refill(slot.refill),
                capacity=slot.capacity,
                unit=slot.unit,
                counter=slot.counter,
                clock=slot.clock,
                quantum=slot.quantum,
                days=100 / slot.rate,
                ascending=slot.ascending,
                fits=tuple(Fit(fit.product_id, fit.units) for fit in fits if fit.model_slot_id == slot.id),
                id=slot.id,
                class_id=slot.class_id,
            )
            for slot in slots
        ),
    )


def list_models(tx: Connection, *, after: int = 0, limit: int = PAGE) -> list[DeviceModel]:
    query = select(device_model.c.id).where(device_model.c.id > after).order_by(device_model.c.id).limit(limit)
    return [get(tx, model_id) for model_id in tx.scalars(query).all()]


def _ensure_slot(tx: Connection, model_id: int, template: SlotTemplate) -> None:
    key = {"model_id": model_id, "name": template.name}
    values = {
        "meter": int(template.meter),
        "refill": int(template.refill),
        "capacity": template.capacity,
        "unit": template.unit,
        "counter": template.counter,
        "clock": template.clock,
        "quantum": template.quantum,
        "ascending": template.ascending,
    }
    upsert(tx, model_slot, [key | values], on=list(key))
    slot_id = tx.execute(select(model_slot.c.id).filter_by(**key)).scalar_one()
    tx.execute(delete(model_slot_product).where(model_slot_product.c.model_slot_id == slot_id))
    fits = [
        {"model_slot_id": slot_id, "product_id": fit.product_id, "units": fit.units, "preference": place}
        for place, fit in enumerate(template.fits)
    ]
    if fits:
        tx.execute(model_slot_product.insert(), fits)
    _ensure_class(tx, slot_id, template)


def _ensure_class(tx: Connection, slot_id: int, template: SlotTemplate) -> None:
    """A new slot class begins with the template's prior. What a job has fitted since is left alone."""
    if tx.scalar(select(slot_class.c.id).where(slot_class.c.model_slot_id == slot_id)) is not None:
        return
    days = template.days or (template.capacity if template.meter == Meter.AGE else 0.0)
    values = {
        "model_slot_id": slot_id,
        "rate": 100 / days if days else PRIOR.rate,
        "rate_cv2": PRIOR.rate_cv2,
        "dispersion": PRIOR.dispersion,
        "kappa": PRIOR.kappa,
        "eta": PRIOR.eta,
        "half_slow": PRIOR.half_slow,
        "z": list(PRIOR.z),
    }
    enqueue_classes(tx, [tx.execute(slot_class.insert().values(values).returning(slot_class.c.id)).scalar_one()])


def _check(name: str, counters: Sequence[Counter], slots: Sequence[SlotTemplate]) -> None:
    if len(counters) > MAX_COUNTERS:
        raise Invalid(f"device model {name}: {len(counters)} counters: at most {MAX_COUNTERS}")
    for counter in counters:
        check_name("counter", counter.name)
        if counter.wrap < 0 or counter.per_day <= 0 or counter.usual < 0:
            rule = "wrap and usual are 0 or more, per_day more than 0"
            raise Invalid(f"device model {name}, counter {counter.name}: {rule}")
    names = [slot.name for slot in slots]
    if len(set(names)) < len(names) or len({counter.name for counter in counters}) < len(counters):
        raise Invalid(f"device model {name}: a name of a slot or a counter is there twice")
    for slot in slots:
        check_name("slot", slot.name)
        if slot.capacity <= 0 or slot.days < 0 or not 0 < slot.quantum <= 100:
            raise Invalid(f"device model {name}, slot {slot.name}: capacity and quantum (at most 100) are more than 0")
        if slot.meter == Meter.COUNTER and not 0 <= slot.counter < len(counters):
            raise Invalid(f"device model {name}, slot {slot.name}: the model does not have its counter")
        _check_clock(f"device model {name}, slot {slot.name}", slot, counters)
        if any(fit.units <= 0 for fit in slot.fits):
            raise Invalid(f"device model {name}, slot {slot.name}: units of a product are more than 0")


def _check_clock(where: str, slot: SlotTemplate, counters: Sequence[Counter]) -> None:
    if slot.clock == -1:
        return
    if slot.meter != Meter.LEVEL:
        raise Invalid(f"{where}: only a slot whose level the device tells has a counter as its clock")
    if not 0 <= slot.clock < len(counters):
        raise Invalid(f"{where}: the model does not have the counter that is its clock")
    if not counters[slot.clock].usual:
        raise Invalid(f"{where}: its clock {counters[slot.clock].name} needs usual: counts per business day")
