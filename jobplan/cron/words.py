"""A cron in English words, by cron-descriptor where it is right and by words of ours elsewhere.

cron-descriptor reads a step as a rhythm ("every 10 days", "every 59 minutes"), but Quartz
starts steps anew in every month, day or hour. So fields with such steps are handed over as the
numbers they mean. It does not know L alone in the day of week, L-nW, nor counted weekdays.
"""

from __future__ import annotations

import re

from cron_descriptor import (  # type: ignore[import-untyped]  # it ships no types
    Options,
    get_description,
)

from schemas.cron import Cron
from schemas.cron.days import DayRule, FromLastDay, MonthDays, NthMondayToFriday, Weekdays

_EVEN_STEP = re.compile(r"(?:\*|0)/(?P<step>\d+)")
_YEAR_STEP = re.compile(r"(?:\*|\d+)?/(?P<step>\d+)")
_POINTLESS_RANGE = re.compile(r"\b(\w+)-\1\b")
_OPTIONS = Options(
    day_of_week_start_index_zero=False,  # Quartz: 1 is Sunday
    use_24hour_time_format=True,
    locale_code="en_US",  # or the text would depend on the machine
)


def explain(cron: Cron) -> str:
    """What the schedule means, as one English phrase: `At 12:00, on the last day of the month`."""
    days, years = _days_of_ours(cron.days), _years_of_ours(cron)
    words: str = get_description(" ".join(_plainer_fields(cron)), _OPTIONS)
    return words + days + years


def _years_of_ours(cron: Cron) -> str:
    """Our own words for an endless step of years, which would be a long list."""
    step = _YEAR_STEP.fullmatch(cron.text.split()[-1])
    if not cron.years or step is None:
        return ""
    every = "every year" if int(step["step"]) == 1 else f"every {int(step['step'])} years"
    return f", {every} from {cron.years[0]}"


def _days_of_ours(rule: DayRule) -> str:
    """Our own words for day rules cron-descriptor does not know."""
    match rule:
        case FromLastDay(back=0, nearest=nearest):
            return f", on the last {'weekday' if nearest else 'day'} of the month"
        case FromLastDay(back=back, nearest=nearest):
            days = "1 day" if back == 1 else f"{back} days"
            words = f"{days} before the last day of the month"
            return f", on the weekday nearest to {words}" if nearest else f", {words}"
        case NthMondayToFriday(nth=nth):
            return f", on the {_ordinal(nth)} weekday (Monday to Friday) of the month"
        case _:
            return ""


def _plainer_fields(cron: Cron) -> list[str]:
    """The fields as cron-descriptor reads them rightly, without those that get words of ours."""
    second, minute, hour, day, month, weekday, *year = cron.text.split()
    if _days_of_ours(cron.days):
        day = "*"
    elif isinstance(cron.days, Weekdays):
        weekday = _plainer(weekday, cron.days.weekdays, 7)
    elif isinstance(cron.days, MonthDays):
        day = _plainer(day, cron.days.days, 31)
    fields = [
        _plainer(second, cron.seconds, 60, even_step=True),
        _plainer(minute, cron.minutes, 60, even_step=True),
        _plainer(hour, cron.hours, 24, even_step=True),
        day,
        _plainer(month, cron.months, 12),
        weekday,
    ]
    if year and cron.years is not None and not _years_of_ours(cron):
        fields.append(_plainer(year[0], cron.years, 0) if cron.years else year[0])
    return fields


def _plainer(text: str, numbers: tuple[int, ...], every: int, *, even_step: bool = False) -> str:
    """The field itself where it reads well: a value, a range, a list with ranges, an even step.

    Otherwise the numbers it means, or `*` when that is all `every` of them.
    """
    if len(numbers) == every:
        return "*"
    step = _EVEN_STEP.fullmatch(text) if even_step else None
    if step and every % int(step["step"]) == 0:
        return text
    if "-" in text and "/" not in text and not _POINTLESS_RANGE.search(text):
        return text
    return ",".join(map(str, numbers))


def _ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, ... 11th ... 21st, 22nd, 23rd."""
    if number in {11, 12, 13}:
        return f"{number}th"
    return f"{number}" + {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
