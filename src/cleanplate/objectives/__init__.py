"""What a network is trained for: ordered phases of named loss terms."""
