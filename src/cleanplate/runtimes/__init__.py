"""What runs the network of a scene: torch, ONNX Runtime, tensors on a device, several scenes."""
