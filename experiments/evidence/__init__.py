"""What is measured of a version before a promotion, and the files of that evidence."""
