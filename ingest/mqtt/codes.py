"""Reason codes of MQTT 5 that the gateway uses, and what a 3.1.1 client is told instead in CONNACK."""

from enum import IntEnum


class Reason(IntEnum):
    """MQTT 5, section 2.4."""

    SUCCESS = 0x00
    DISCONNECT_WITH_WILL = 0x04
    NO_SUBSCRIPTION = 0x11
    UNSPECIFIED = 0x80
    MALFORMED = 0x81
    PROTOCOL_ERROR = 0x82
    UNSUPPORTED_VERSION = 0x84
    CLIENT_ID = 0x85
    BAD_CREDENTIAL = 0x86
    NOT_AUTHORIZED = 0x87
    UNAVAILABLE = 0x88
    BUSY = 0x89
    SHUTTING_DOWN = 0x8B
    BAD_AUTHENTICATION_METHOD = 0x8C
    KEEP_ALIVE = 0x8D
    TAKEN_OVER = 0x8E
    TOPIC_FILTER = 0x8F
    TOPIC_NAME = 0x90
    RECEIVE_MAXIMUM = 0x93
    TOPIC_ALIAS = 0x94
    TOO_LARGE = 0x95
    QUOTA = 0x97
    ADMINISTRATIVE = 0x98
    RETAIN = 0x9A
    QOS = 0x9B
    SHARED = 0x9E
    SUBSCRIPTION_ID = 0xA1
    WILDCARD = 0xA2


OLD_CONNACK = {
    Reason.SUCCESS: 0,
    Reason.UNSUPPORTED_VERSION: 1,
    Reason.CLIENT_ID: 2,
    Reason.UNAVAILABLE: 3,
    Reason.BUSY: 3,
    Reason.QUOTA: 3,
    Reason.SHUTTING_DOWN: 3,
    Reason.BAD_CREDENTIAL: 4,
}
"""CONNACK return codes of 3.1.1; whatever is not listed is 5, not authorised."""


class Malformed(Exception):
    """The peer broke the protocol; the connection must end. `reason` is what an MQTT 5 peer is told."""

    def __init__(self, message: str, reason: Reason = Reason.MALFORMED) -> None:
        super().__init__(message)
        self.reason = reason
