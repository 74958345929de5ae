"""A street with a crossing: its ground, houses, plants, lights, vehicles and people."""
