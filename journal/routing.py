"""From a site's shard to its partition. A shard never changes; the number of partitions belongs to the journal."""

SHARDS = 4096


def partition_of(shard: int, partitions: int) -> int:
    """The partition (0 .. partitions - 1) of a shard (0 .. 4,095)."""
    if not 0 <= shard < SHARDS:
        raise ValueError(f"shard {shard} is outside of 0..{SHARDS - 1}")
    if not 0 < partitions <= SHARDS:
        raise ValueError(f"{partitions} partitions: use 1..{SHARDS}")
    return shard % partitions
