"""One reader for every table: files and folders, text formats, types by value, missing values and times."""
