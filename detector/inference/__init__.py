"""From a picture to detections: model bundles, letterbox, decode, onnxruntime and OpenVINO."""
