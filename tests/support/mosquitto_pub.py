"""Stands in for mosquitto_pub where it is not installed: `-f FILE -q 1`, exit code 0 only after the PUBACK."""

import argparse
import sys
from pathlib import Path

import paho.mqtt.client as mqtt

parser = argparse.ArgumentParser(add_help=False)
for option in "hpiuPqtf":
    parser.add_argument(f"-{option}", required=True)
given = parser.parse_args()
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=given.i)
client.username_pw_set(given.u, given.P)
try:
    client.connect(given.h, int(given.p))
except OSError as error:
    sys.exit(str(error))
sent = client.publish(given.t, Path(given.f).read_bytes(), qos=int(given.q))
while not sent.is_published():
    if client.loop() != mqtt.MQTT_ERR_SUCCESS:
        sys.exit("the connection is lost")
client.disconnect()
