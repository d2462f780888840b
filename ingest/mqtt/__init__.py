"""MQTT 3.1.1 and 5 without input or output: bytes to packets and back, the server's side."""
