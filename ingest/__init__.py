"""Devices -> journal: the MQTT gateway, its decoders, device identity and downlink."""
