"""Small networks as ordinary files: ONNX models, and the register of published ones."""
