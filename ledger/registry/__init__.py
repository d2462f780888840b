"""Who and what there is: accounts, sites, catalogue, devices. One file per noun; every change sends its facts."""
