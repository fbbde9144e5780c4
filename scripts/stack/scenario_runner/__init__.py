"""How a scenario is played: the fault's flag on, its cause provoked, its traces read."""
