"""What many measurements say together: averages, charts and tables."""
