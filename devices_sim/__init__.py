"""A simulated world of machines, people and suppliers with ground truth. It speaks only MQTT and HTTP."""
