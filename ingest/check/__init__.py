"""`ullage device check`: what a device does on a connection, judged rule by rule for whoever makes the device."""
