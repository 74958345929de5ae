"""Pictures in files, one or many in each."""
