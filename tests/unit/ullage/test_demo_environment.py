from ullage.demo.run import environment_of
from ullage.settings import load


def test_the_demo_asks_its_roles_for_what_its_fleet_needs():
    environment = environment_of(load(environ={}), None, 200)
    assert (environment["ULLAGE_LOG_LEVEL"], environment["ULLAGE_MQTT_CONNECTIONS"]) == ("warning", "500")


def test_what_somebody_asks_for_counts():
    asked = {"ULLAGE_LOG_LEVEL": "debug", "ULLAGE_MQTT_CONNECTIONS": "7"}
    environment = environment_of(load(environ=asked), None, 200)
    assert {name: environment[name] for name in asked} == asked
