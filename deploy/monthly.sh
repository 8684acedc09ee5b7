#!/bin/sh
# The monthly loop: score the applications of a month, compare the month, send the alarm. For cron and systemd.
#   monthly.sh [YYYY-MM]        (by default the month before this one)
# THINFILE_APPLICATIONS is the folder with one file YYYY-MM.parquet a month; THINFILE_WORKSPACE is the workspace.
# THINFILE_CHAT=slack or teams, and THINFILE_MAIL_SERVER, send alarms: see alerts/chat.py and alerts/mail.py.
# Exit code: 0 done; 1 and 2 as those of thinfile; 3 an alarm, or nothing could be compared. Run it again after a failure:
# no decision is made twice and no alarm sent twice.
set -u
kit=$(dirname "$0")
period=${1:-$(date -u -d "$(date -u +%Y-%m-01) -1 day" +%Y-%m)}
applications=${THINFILE_APPLICATIONS:?set it to the folder with the applications of each month}

thinfile score data=table data.path="$applications/$period.parquet" data.id=application_id period="$period" || exit
thinfile watch period="$period"
code=$?

for event in "${THINFILE_WORKSPACE:-workspace}/alarms/$period"-act-*.json; do
  [ -e "$event" ] || continue
  [ -z "${THINFILE_CHAT:-}" ] || python3 "$kit/alerts/chat.py" "$THINFILE_CHAT" "$event" || unsent=1
  [ -z "${THINFILE_MAIL_SERVER:-}" ] || python3 "$kit/alerts/mail.py" "$event" || unsent=1
done
[ "$code" -ne 0 ] || code=${unsent:-0}
exit "$code"
