"""What a follower counts."""

from prometheus_client import Counter, Gauge

EVENTS = Counter("haikei_eventlog_events", "Event log rows read for the first time", ["feed"])
LAYOUTS = Counter("haikei_eventlog_layouts", "Layouts announced for the first time", ["source"])
REFUSED = Counter("haikei_eventlog_refused", "Layout rows put among the dead letters", ["kind"])
GIVEN_UP = Counter("haikei_eventlog_ids_given_up", "Event ids that never appeared", ["feed"])
GAPS = Gauge("haikei_eventlog_open_gaps", "Ranges of event ids still waited for", ["feed"])
WAITING = Gauge("haikei_eventlog_waiting_rows", "Layout rows not ready yet", ["feed"])
