"""The real purchase logs that tests set a simulated one beside; Online Retail only where it lies."""

from pathlib import Path

import pyarrow as pa

from tests.evidence.purchase_logs.cdnow import read_cdnow
from tests.evidence.purchase_logs.complete_journey import read_complete_journey
from tests.evidence.purchase_logs.online_retail import read_online_retail
from tests.evidence.purchase_logs.realism import returns_of

ONLINE_RETAIL = Path(__file__).resolve().parents[4] / "shared" / "data" / "online_retail.parquet"


def real_logs() -> dict[str, pa.Table]:
    """Return the orders of each log by its name."""
    logs = {"CDNOW": read_cdnow().orders, "Complete Journey": read_complete_journey().orders}
    return logs | ({"Online Retail": read_online_retail(ONLINE_RETAIL).orders} if ONLINE_RETAIL.is_file() else {})


def real_returns() -> tuple[float, float] | None:
    """Return the range of the share of returns, where a log tells."""
    return returns_of(ONLINE_RETAIL) if ONLINE_RETAIL.is_file() else None
