"""SVG charts and number formats, shared by the model document, the drift report and the pictures in MLflow."""
