"""When a drift measure reaches watch or act level."""
