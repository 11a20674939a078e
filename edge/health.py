"""How the machine fares, put into the node's telemetry."""

from datetime import datetime
from pathlib import Path
from typing import final

from msgspec import structs

from edge.data_use import DataUse
from edge.telemetry import Sensors, disk_free_mb
from protocol.messages import Telemetry


@final
class Health:
    """Looks at a machine, and keeps count of what its network costs."""

    def __init__(self, state_dir: Path, boot_id: str, root: Path = Path("/")) -> None:
        self._state_dir = state_dir
        self._sensors = Sensors(root)
        self._data_use = DataUse(state_dir / "data-use.json", boot_id)

    def temperature_c(self) -> float | None:
        """Read the processor's temperature."""
        return self._sensors.temperature_c()

    def measured(self, word: Telemetry, known: datetime | None) -> Telemetry:
        """Fill in what the machine tells of itself; ``known`` is the time, where that is known."""
        sensors, traffic = self._sensors, self._sensors.traffic()
        month_mb = self._data_use.count(traffic, known) if traffic.name else None
        return structs.replace(
            word,
            temperature_c=sensors.temperature_c(),
            disk_free_mb=disk_free_mb(self._state_dir),
            memory_free_mb=sensors.memory_free_mb(),
            under_voltage=sensors.is_under_voltage(),
            card_wear_percent=sensors.card_wear_percent(),
            network=traffic.kind,
            signal_dbm=sensors.signal_dbm(traffic.name),
            data_month_mb=month_mb,
            data_total_mb=self._data_use.total_mb,
        )

    def keep(self) -> None:
        """Put on disk what is to be remembered."""
        self._data_use.keep()
