"""People, tokens and the audit, as the API shows them."""

from typing import Any

from ledger.audit import Entry
from ledger.people import Person
from ledger.tokens import Token
from ledger.views.rows import Dict, iso


def person(found: Person) -> Dict:
    return {
        "id": found.id,
        "name": found.name,
        "email": found.email,
        "role": found.role,
        "accounts": _accounts(found.accounts),
        "supplier_id": found.supplier_id,
        "created_at": iso(found.created),
        "ended_at": iso(found.ended),
    }


def token(found: Token) -> Dict:
    """Without its secret, which nobody has any more."""
    return {
        "id": found.id,
        "name": found.name,
        "prefix": found.prefix,
        "role": found.role,
        "person": found.person,
        "person_id": found.person_id,
        "accounts": _accounts(found.accounts),
        "supplier_id": found.supplier_id,
        "scopes": sorted(found.permissions),
        "created_at": iso(found.created),
        "expires_at": iso(found.expires),
        "last_used_at": iso(found.last_used),
        "revoked_at": iso(found.revoked),
    }


def entry(found: Entry) -> Dict:
    return {
        "id": found.id,
        "at": iso(found.ts),
        "by": found.by,
        "account_id": found.account_id,
        "action": found.action,
        "subject": found.subject,
        "before": found.before,
        "after": found.after,
    }


def _accounts(accounts: tuple[int, ...] | None) -> list[int] | None:
    return None if accounts is None else list(accounts)


def told(found: Person | Token) -> dict[str, Any]:
    """What the audit keeps of one: enough to see what a change gave and took."""
    accounts = _accounts(found.accounts)
    shared = {"name": found.name, "role": found.role, "accounts": accounts, "supplier_id": found.supplier_id}
    if isinstance(found, Person):
        return shared | {"email": found.email, "ended": found.ended}
    return shared | {
        "person_id": found.person_id,
        "prefix": found.prefix,
        "scopes": sorted(found.permissions),
        "expires": found.expires,
        "revoked": found.revoked,
    }
