"""When a marketplace sells: seasons, weekdays, shopping festivals and hours of the day."""

import numpy as np

from pipelines.simulation.draws import Draws, Flags, Floats, Ints
from pipelines.simulation.period import DAY, HOUR, Period

WEEKDAYS = np.array([0.95, 0.9, 0.92, 0.97, 1.1, 1.15, 1.0])
"""Monday to Sunday."""

FESTIVALS = {(11, 10): 1.8, (11, 11): 4.0, (11, 12): 1.6, (6, 17): 1.4, (6, 18): 2.8, (9, 9): 1.4, (12, 12): 2.0}
"""Month and day, and how many times as much is sold."""

BLACK_FRIDAY, CYBER_MONDAY = 3.0, 2.2

HOURS = np.array([6, 10, 18, 30, 42, 50, 56, 54, 48, 46, 48, 54, 62, 74, 88, 84, 60, 30], dtype=float)
"""How much is sold from 6:00 to 24:00, by the hour; what is sold at night is a habit of the customer's."""

NIGHT_HOURS = 6


def day_weights(period: Period) -> Floats:
    """Return how much is sold on each day, shape (days,)."""
    day = np.arange(period.starts_at // DAY, period.ends_at // DAY)
    date = day.astype("M8[D]")
    year_start = date.astype("M8[Y]").astype("M8[D]").astype(np.int64)
    season = 1.0 + 0.12 * np.cos(2 * np.pi * (day - year_start - 340) / 365.25)
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
    return np.asarray(season * WEEKDAYS[weekday] * _festival(date, weekday))


def _festival(date: np.ndarray[tuple[int, ...], np.dtype[np.datetime64]], weekday: Ints) -> Floats:
    month = date.astype("M8[M]").astype(np.int64) % 12 + 1
    day = (date - date.astype("M8[M]").astype("M8[D]")).astype(np.int64) + 1
    factor = np.where((month == 12) & (day <= 20), 1.4, 1.0)
    for (festive_month, festive_day), times in FESTIVALS.items():
        factor[(month == festive_month) & (day == festive_day)] *= times
    # The day after the fourth Thursday of November, and the Monday that follows.
    factor[(month == 11) & (weekday == 4) & (day >= 23) & (day <= 29)] *= BLACK_FRIDAY
    factor[((month == 11) & (day >= 26) | (month == 12) & (day <= 2)) & (weekday == 0)] *= CYBER_MONDAY
    return np.asarray(factor)


def clock(is_night: Flags, draws: Draws) -> Ints:
    """Return a time of day in seconds for each order."""
    size = len(is_night)
    hour_draw = draws.uniform("hour", size)
    by_day = NIGHT_HOURS + np.searchsorted(np.cumsum(HOURS) / HOURS.sum(), hour_draw, side="right")
    hour = np.where(is_night, (hour_draw**1.6 * NIGHT_HOURS).astype(np.int64), by_day)
    return np.asarray(hour * HOUR + draws.within("second", 0, HOUR, size))
