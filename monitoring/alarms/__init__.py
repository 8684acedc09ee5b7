"""Alarms: raised once in the alarm log, acted on by the action policy, then quiet until they worsen."""
