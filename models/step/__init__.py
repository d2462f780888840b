"""One record of the journal into a partition's state: facts, requests and ticks (frames: models.fold)."""
