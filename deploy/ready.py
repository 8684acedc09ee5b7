"""The health check of the image: exit code 0 when the service can decide, 1 when it cannot.

    python ready.py [ADDRESS]

The address is http://127.0.0.1:8000/ready by default; compose.yaml gives that of the MLflow server.
"""

import sys
import urllib.request

SECONDS = 4


def main(words: list[str]) -> int:
    """Ask once."""
    address = words[0] if words else "http://127.0.0.1:8000/ready"
    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:
            print(answer.read().decode())
    except OSError as error:
        print(f"{address}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
