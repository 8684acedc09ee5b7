"""Sends the event of an alarm by e-mail.

THINFILE_MAIL_SERVER is HOST:PORT of the mail server, THINFILE_MAIL_FROM and THINFILE_MAIL_TO are addresses (several are
separated by commas). Where the server wants a login, set THINFILE_MAIL_USER, and THINFILE_MAIL_PASSWORD or, for a file,
THINFILE_MAIL_PASSWORD_FILE; the connection is then encrypted by STARTTLS, or nothing is sent.

    python mail.py workspace/alarms/2026-10-act-*.json

An event is sent once. Exit code 0: all were sent, now or before; 1: one was not.
"""

import os
import smtplib
import ssl
import sys
from email.message import EmailMessage

from alarm_event import Event, causes, facts, next_steps, secret, send_each, title

SECONDS = 10


def message(event: Event, sender: str, recipients: str) -> EmailMessage:
    """Return the mail of an event; each delivery has the same Message-ID, by which mail programs drop repeats."""
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = f"[thinfile] {title(event)}", sender, recipients
    mail["Message-ID"] = f"<alarm-{event['id']}@thinfile.invalid>"
    table = [f"{name + ':':<11}{value}" for name, value in facts(event).items()]
    report, command = next_steps(event)
    lines = [title(event), "", *table, "", "Causes:", *(f"  {cause}" for cause in causes(event)), ""]
    mail.set_content("\n".join([*lines, "Report:", f"  {report}", "When you have read it:", f"  {command}", ""]))
    return mail


def send(mail: EmailMessage, server: str) -> None:
    """Hand a mail to the server. Raises OSError (smtplib's errors are) where it is not accepted."""
    host, _, port = server.partition(":")
    with smtplib.SMTP(host, int(port or 25), timeout=SECONDS) as connection:
        user = os.environ.get("THINFILE_MAIL_USER")
        if user:
            connection.starttls(context=ssl.create_default_context())
            connection.login(user, secret("THINFILE_MAIL_PASSWORD"))
        connection.send_message(mail)


def main(paths: list[str]) -> int:
    """Send the events."""
    if not paths:
        print("usage: mail.py EVENT.json ...", file=sys.stderr)
        return 2
    server, sender = secret("THINFILE_MAIL_SERVER"), secret("THINFILE_MAIL_FROM")
    recipients = secret("THINFILE_MAIL_TO")
    return send_each(paths, "mail", lambda event: send(message(event, sender, recipients), server))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
