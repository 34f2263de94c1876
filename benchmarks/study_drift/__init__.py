"""How often DriftReport finds drift where there is none, and where there is some."""
