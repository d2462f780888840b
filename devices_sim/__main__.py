"""`python -m devices_sim`."""

from devices_sim.cli import main

if __name__ == "__main__":
    main()
