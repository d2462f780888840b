"""The quick way through a read: the run of plain QoS 1 PUBLISH packets on the connection's own topic at its start.

A device with a window sends dozens of them in one read; going through `packets` for each costs three times as much.
tests/unit/ingest compares the two on arbitrary bytes.
"""


def whole(data: bytes, field: bytes, v5: bool, maximum: int) -> int:
    """Where the payload begins, when `data` is one such packet of 131 to 16,386 bytes and nothing else; otherwise 0.

    A device that waits for each PUBACK sends nothing else.
    """
    size = len(data)
    if size < 131 or size > maximum or data[0] != 0x32 or data[1] + (data[2] << 7) - 125 != size:
        return 0
    low, high = data[1], data[2]
    if low < 128 or high > 127 or not data.startswith(field, 3):
        return 0
    at = 5 + len(field)
    if at >= size or not (data[at - 2] or data[at - 1]):
        return 0
    if not v5:
        return at
    return 0 if data[at] else at + 1


def scan(data: bytes, start: int, field: bytes, v5: bool, limit: int, maximum: int) -> tuple[list[bytes], bytes, int]:
    """Payloads, their PUBACKs, and where it stopped: at the first packet that is unfinished or anything else.

    `field` is the topic with its length in front. At most `limit` packets of at most `maximum` bytes each are taken.
    """
    payloads: list[bytes] = []
    acks: list[bytes] = []
    take, acknowledge = payloads.append, acks.append
    begins = data.startswith
    at = start
    size = len(data)
    head = len(field) + (3 if v5 else 2)
    while size - at > 4 and limit:
        length = data[at + 1]
        body = at + 2
        if length > 127:
            high = data[body]
            body += 1
            if high > 127:
                if data[body] > 127:  # 2 MiB and more
                    break
                length += (high - 128 << 7) - 128 + (data[body] << 14)
                body += 1
            else:
                length += (high << 7) - 128
        end = body + length
        # 0x32: PUBLISH, QoS 1, no RETAIN; 8: DUP
        if end > size or end - at > maximum or data[at] | 8 != 0x3A or not begins(field, body):
            break
        body += head
        if body > end:
            break
        number = data[body - 3 : body - 1] if v5 else data[body - 2 : body]
        if number == b"\0\0" or (v5 and data[body - 1]):  # an error, or properties: the general way
            break
        acknowledge(number)
        take(data[body:end])
        at = end
        limit -= 1
    if not acks:
        return payloads, b"", at
    return payloads, b"@\x02" + b"@\x02".join(acks), at
