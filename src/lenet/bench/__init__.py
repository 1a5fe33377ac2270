"""Speed and memory, measured against PyTorch and ONNX Runtime on the same work in the same run."""
