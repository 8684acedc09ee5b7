"""What an alarm does: raised once in the alarm log, told to whom it concerns, quiet after that until it worsens."""
