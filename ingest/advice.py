"""What a code of the quarantine means, and what a person does about it: for the page, the API and the command."""

from typing import Final, NamedTuple


class Advice(NamedTuple):
    means: str  # a few words, for lists
    hint: str  # what to do


_DEVICE = "Correct what the device sends; what it sent until then can be fixed and replayed."
_SCHEMA = "The program of the device builds the message wrongly: show it to whoever writes it."
_OURS = "This is a fault of Ullage: report it with the message, and replay it after an update."
_USED = "The rest of the reading was used when it came: discard this once you have read it."

ADVICE: Final = {
    # what the gateway refuses: nothing of the message was used
    "not_utf8": Advice("Not text", _SCHEMA),
    "not_json": Advice("Not JSON", _SCHEMA),
    "nul": Advice("A NUL inside", _SCHEMA),
    "duplicate_key": Advice("The same key twice", _SCHEMA),
    "too_large": Advice("A message over 64 KiB", "Let the device send several smaller messages; discard this one."),
    "too_deep": Advice("Nested too deeply", _SCHEMA),
    "too_many": Advice("Over 64 entries", "Let the device send several smaller messages."),
    "bad_type": Advice("Another type than expected", _SCHEMA),
    "empty": Advice("A message that says nothing", _SCHEMA),
    "unknown_version": Advice("An unknown version of the message format", "Send version 1, or update Ullage."),
    "bad_time": Advice("A time that cannot be read", _SCHEMA),
    "bad_boot": Advice("A boot that cannot be read", _SCHEMA),
    "bad_seq": Advice("A sequence number that cannot be read", _SCHEMA),
    "identity_mismatch": Advice(
        "Sent in another device's name", "Is the credential in the right machine? Two may have been swapped."
    ),
    "bad_name": Advice("A name with other characters than allowed", _SCHEMA),
    "bad_level": Advice("A level that is no number", _DEVICE),
    "level_out_of_range": Advice("A level outside of its range", _DEVICE),
    "bad_interval": Advice("A level's bounds the wrong way round", _DEVICE),
    "bad_amount": Advice("An amount that is no number", _DEVICE),
    "over_full": Advice(
        "More than fits in", "Is the capacity in the device model too small? Correct it, then replay; else the device."
    ),
    "wrong_unit": Advice(
        "A unit that does not fit the supply",
        "Give the slot in the device model the unit that is sent, then replay; else correct the device.",
    ),
    "bad_state": Advice("An unknown word for how full it is", _DEVICE),
    "no_level": Advice("A supply without any level", _DEVICE),
    "bad_counter": Advice("A counter that is no whole number", _DEVICE),
    "bad_measure": Advice("A measure that is no number", _DEVICE),
    "bad_signal": Advice("A signal that is no text", _SCHEMA),
    "not_finite": Advice("Not a number, or infinity", _DEVICE),
    "number_too_big": Advice("A number that is too big", _DEVICE),
    "invalid": Advice("A message that cannot be read", _SCHEMA),
    "decoder_failed": Advice("Ullage failed to read it", _OURS),
    "not_kept": Advice(
        "So many that they were not kept", "The device sends refused messages all the time: correct it, discard this."
    ),
    # what the decision refuses: of the reading nothing was used
    "skipped": Advice("Passed over before", _OURS),
    "unknown_device": Advice("A device that is not registered here", "Register the device, then replay the reading."),
    "retired_device": Advice(
        "A device that is retired", "If it is in use, register it anew under another name; else discard."
    ),
    "time_out_of_range": Advice("A time that cannot be stored", "Correct the clock of the device."),
    "sequence_out_of_range": Advice("A sequence number that cannot be stored", _DEVICE),
    "poison_reading": Advice("Ullage failed to use it", _OURS),
    "poison_record": Advice("Ullage failed to use a record", _OURS),
    "damaged_record": Advice("Damaged bytes in the journal", "Check the disk; discard this once you have read it."),
    "bad_effect": Advice("What followed from it could not be written", _OURS),
    # one part of a reading, whose rest was used
    "unknown_slot": Advice("A slot that is not registered", _USED),
    "foreign_slot": Advice("A slot of another device", _USED),
    "implausible_counter": Advice(
        "A counter that jumped",
        "It counts on from the new value, and nothing is ordered for the jump. Was the board replaced? Then discard "
        "this. Does the machine do so much? Raise the counter's per_day in the device model.",
    ),
    "counter_out_of_range": Advice("A counter that cannot be stored", _USED),
    "signal_without_slot": Advice(
        "A signal that says nothing of its slot", "Send the slot with it, such as reorder:black; discard this."
    ),
}


def advice(code: str) -> Advice:
    """Also for what an older version has written."""
    return ADVICE.get(code, Advice(code.replace("_", " "), "Read the reason; discard it, or replay it."))
