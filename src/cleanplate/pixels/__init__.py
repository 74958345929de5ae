"""Pictures as bytes and numbers: planes of a picture, and its size before it is decoded."""
