"""How far a run is, and what it says at its end."""
