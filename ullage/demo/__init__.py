"""`ullage demo`: a simulated fleet that speaks real MQTT to a real installation on embedded stores, looked at live."""
