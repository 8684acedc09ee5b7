"""Windows of decisions and the references that they are compared with."""
