"""What all that computes with torch shares: batches, sums over windows, a thread of its own."""
