"""The durable record of everything that came in: its codec, its routing, its stores."""
