"""Roles and what each may do, as data."""

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Role(StrEnum):
    VIEWER = "viewer"
    BUYER = "buyer"
    APPROVER = "approver"
    ACCOUNT_ADMIN = "account_admin"
    PLANNER = "planner"
    OPERATOR = "operator"
    SUPPLIER = "supplier"


class Permission(StrEnum):
    READ = "read"  # everything of the token's accounts but people and tokens
    ORDER = "order"  # reorder, cancel, count spares, "I have swapped it", receive goods
    APPROVE = "approve"  # approve and reject, in the name of the token's person
    ADMINISTER = "administer"  # the account's settings, sites, devices, people and tokens
    PLAN = "plan"  # demand over accounts, overrides
    CATALOGUE = "catalogue"  # products, suppliers, offers, device models, price lists
    OPERATE = "operate"  # accounts, quarantine, outbox, operator's tokens
    SUPPLY = "supply"  # acknowledge, ship, deliver: the purchase orders of the token's supplier only


_P = Permission
PERMISSIONS: Final = MappingProxyType(
    {
        Role.VIEWER: frozenset({_P.READ}),
        Role.BUYER: frozenset({_P.READ, _P.ORDER}),
        Role.APPROVER: frozenset({_P.READ, _P.ORDER, _P.APPROVE}),
        Role.ACCOUNT_ADMIN: frozenset({_P.READ, _P.ORDER, _P.APPROVE, _P.ADMINISTER}),
        Role.PLANNER: frozenset({_P.READ, _P.PLAN}),
        Role.OPERATOR: frozenset(_P) - {_P.APPROVE},
        Role.SUPPLIER: frozenset({_P.SUPPLY}),
    }
)
ALL_ACCOUNTS: Final = frozenset({Role.PLANNER, Role.OPERATOR})
"""Roles that may be given all accounts; the others have a list."""
