"""Models: found by content, loaded once, text to vectors."""

import os

# Builds of ONNX Runtime report usage to their maker unless told not to, before they are imported.
# Nothing leaves a self-hosted machine unasked.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
