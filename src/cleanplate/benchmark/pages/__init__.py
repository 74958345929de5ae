"""A benchmark as one page of HTML."""
