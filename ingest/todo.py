"""What a device sends instead, by the code of what it was told on its topic `errors`: words for whoever programs it."""

from typing import Final

_LEVEL = "send a level as a number in 0..1, or [low, high] with the low bound first: 42 % is 0.42"
_JSON = "build the message by a JSON library, in UTF-8, and send it whole"
_OURS = "nothing: a fault of Ullage, which keeps the message"

TODO: Final = {
    # refused by the gateway: nothing of the message was used
    "not_utf8": _JSON,
    "not_json": _JSON,
    "nul": "end texts before their terminating NUL, and send the length without it",
    "duplicate_key": "send each key of an object once",
    "too_large": "send several messages, each of at most 64 KiB",
    "too_deep": "nest at most 8 deep, unknown fields too",
    "too_many": "send at most 64 entries of a kind, the rest in a further message",
    "bad_type": "send an object or a text as the schema has it",
    "empty": "send at least one of supplies, counters, measures, signals",
    "unknown_version": 'send "v": 1, or leave it out',
    "bad_time": 'send ts as RFC 3339 with seconds and zone ("2026-11-21T09:30:00Z"), or age_s of at least 0',
    "bad_boot": "send boot as a text of at most 64 characters or a whole number",
    "bad_seq": "send seq as a whole number of at least 0",
    "identity_mismatch": "leave account and device out, or send the connection's; is the token in the right machine?",
    "bad_name": "name things with 1 to 64 of A-Z a-z 0-9 _ . : -",
    "bad_level": _LEVEL,
    "level_out_of_range": _LEVEL,
    "bad_interval": _LEVEL,
    "bad_amount": "send remaining as a number of at least 0",
    "over_full": "send remaining in the unit of the slot, at most its capacity",
    "wrong_unit": "send the unit of the slot, or one that converts to it",
    "bad_state": "send one of full, high, ok, some, low, empty",
    "no_level": "send level, remaining or state with each supply, or leave the supply out",
    "bad_counter": "send a counter as a whole number of at least 0",
    "bad_measure": 'send a measure as {"value": a number, "unit": a text}',
    "bad_signal": "send signals as a list of texts",
    "not_finite": "leave out what is NaN or infinite",
    "number_too_big": "send numbers of at most 2^53; let a counter wrap before",
    "invalid": "send what the schema has",
    "decoder_failed": _OURS,
    # refused by the decision: nothing of the reading, or one part of it, was used
    "skipped": _OURS,
    "poison_reading": _OURS,
    "bad_effect": _OURS,
    "unknown_device": "nothing: its registration is on its way",
    "retired_device": "stop: this device was retired",
    "time_out_of_range": "set the clock; or leave ts out, and send age_s",
    "sequence_out_of_range": "count seq from 1 at each boot: at most 2^53",
    "unknown_slot": "use the slot names of the device model",
    "foreign_slot": "use the slot names of the device model",
    "implausible_counter": "send totals that only grow, by what the machine can do; the new value is the baseline",
    "counter_out_of_range": "send a counter as a whole number in 0..2^53",
    "signal_without_slot": "name the slot with the signal: reorder:black",
}


def todo(code: str) -> str:
    """Also for a code of a newer or older version."""
    return TODO.get(code, "read the reason")
