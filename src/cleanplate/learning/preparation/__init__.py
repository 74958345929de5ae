"""What the frames of a recording are freed from before anything is learned of them."""
