"""Writes core/exchanges.json from the exchange_calendars library (PyPI): hours, holidays and early closes of exchanges.

    python3 -m venv /tmp/calendars && /tmp/calendars/bin/pip install exchange_calendars==4.13.2
    /tmp/calendars/bin/python dev/exchanges/write.py core/exchanges.json 2026-01-01 2032-12-31
"""

import json
import sys

import exchange_calendars
import pandas

EXCHANGES = ["XNYS", "XNAS", "XTSE", "XLON", "XETR", "XPAR", "XAMS", "XSWX", "XTKS", "XHKG", "XASX"]


def hours(calendar, session):
    """Local opening and closing time of a session; a lunch break counts as open."""
    at = lambda time: time.tz_convert(calendar.tz).strftime("%H:%M")
    return at(calendar.session_open(session)), at(calendar.session_close(session))


def exchange(name, first, last):
    calendar = exchange_calendars.get_calendar(name, start=first, end=last)
    sessions = list(calendar.sessions)
    each = {day.strftime("%Y-%m-%d"): hours(calendar, day) for day in sessions}
    usual = max(set(each.values()), key=list(each.values()).count)
    weekdays = pandas.date_range(first, last, freq="B").strftime("%Y-%m-%d")
    closed = [day for day in weekdays if day not in each]
    assert all(pandas.Timestamp(day).dayofweek < 5 for day in each), name
    return {
        "timezone": str(calendar.tz),
        "from": usual[0],
        "to": usual[1],
        "until": last,
        "holidays": closed,
        "shortDays": {day: {"from": own[0], "to": own[1]} for day, own in each.items() if own != usual},
    }


target, first, last = sys.argv[1:]
made = {name: exchange(name, first, last) for name in EXCHANGES}
with open(target, "w", encoding="utf-8") as file:
    file.write(json.dumps(made, indent=2) + "\n")
for name, own in made.items():
    print(name, own["timezone"], own["from"], own["to"], len(own["holidays"]), len(own["shortDays"]))
