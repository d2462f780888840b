"""`ullage doctor`: what of the machine, the files and the settings would stand in the way."""
