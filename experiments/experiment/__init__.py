"""The resolved experiment: settings, recorded settings, feature groups, differences between records."""
