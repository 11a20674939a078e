"""What a machine tells of itself, from files as Linux writes them."""

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.data_use import DataUse
from edge.telemetry import Sensors, Traffic
from protocol.messages import NetworkKind
from tests.factories.claims import NOON

ROUTES = """Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
wwan0\t00000000\t0101A8C0\t0003\t0\t0\t{metric}\t00000000\t0\t0\t0
wlan0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0
"""
WIRELESS = """Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
 wlan0: 0000   54.  -56.  -256        0      0      0      0     34        0
"""


class Board:
    """A root folder with the files of one board."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sensors = Sensors(root)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")

    def interface(self, name: str, kind: int, received: int, sent: int, uevent: str = "") -> None:
        folder = f"sys/class/net/{name}"
        self.write(f"{folder}/type", str(kind))
        self.write(f"{folder}/uevent", f"INTERFACE={name}\n{uevent}")
        self.write(f"{folder}/statistics/rx_bytes", str(received))
        self.write(f"{folder}/statistics/tx_bytes", str(sent))


@pytest.fixture
def board(tmp_path):
    return Board(tmp_path / "root")


def test_a_machine_that_tells_nothing_is_not_guessed_at(board):
    sensors = board.sensors
    assert sensors.temperature_c() is None
    assert sensors.is_under_voltage() is None
    assert sensors.memory_free_mb() is None
    assert sensors.card_wear_percent() is None
    assert sensors.signal_dbm("wlan0") is None
    assert sensors.traffic() == Traffic()


def test_temperature_memory_supply_and_card_are_read(board):
    board.write("sys/class/thermal/thermal_zone0/temp", "51250")
    board.write("proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable:  500000 kB")
    board.write("sys/class/hwmon/hwmon0/name", "cpu_thermal")
    board.write("sys/class/hwmon/hwmon1/name", "rpi_volt")
    board.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1")
    board.write("sys/block/mmcblk0/device/life_time", "0x02 0x03")
    sensors = board.sensors
    assert sensors.temperature_c() == 51.25
    assert sensors.memory_free_mb() == 512.0
    assert sensors.is_under_voltage() is True
    assert sensors.card_wear_percent() == 30


@pytest.mark.parametrize(("metric", "name"), [(50, "wwan0"), (700, "wlan0")])
def test_the_way_out_is_the_one_that_the_kernel_takes(board, metric, name):
    board.write("proc/net/route", ROUTES.format(metric=metric))
    board.interface("wwan0", 65534, 1000, 200)
    board.interface("wlan0", 1, 5, 6)
    (board.root / "sys/class/net/wlan0/wireless").mkdir()
    board.write("proc/net/wireless", WIRELESS)
    traffic = board.sensors.traffic()
    assert traffic.name == name
    assert traffic.kind == {"wwan0": NetworkKind.MOBILE, "wlan0": NetworkKind.WIFI}[name]
    assert traffic.total_bytes == {"wwan0": 1200, "wlan0": 11}[name]
    assert board.sensors.signal_dbm(name) == {"wwan0": None, "wlan0": -56.0}[name]


@pytest.mark.parametrize(
    ("kind", "uevent", "expected"),
    [
        (1, "", NetworkKind.ETHERNET),
        (1, "DEVTYPE=wwan", NetworkKind.MOBILE),
        (512, "", NetworkKind.MOBILE),
        (772, "", NetworkKind.OTHER),
    ],
)
def test_a_network_is_known_by_what_the_kernel_calls_it(board, kind, uevent, expected):
    board.write("proc/net/route", ROUTES.format(metric=1))
    board.interface("wwan0", kind, 1, 1, uevent)
    assert board.sensors.traffic().kind is expected


@given(st.lists(st.tuples(st.integers(0, 10**9), st.sampled_from(["go", "restart", "boot"]))))
def test_no_byte_is_counted_twice_or_lost_over_restarts_and_boots(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("use") / "data.json"
    boot, since_boot, sent = 0, 0, 0
    use = DataUse(path, "0")
    use.count(Traffic("wwan0", NetworkKind.MOBILE, 0), NOON)
    for fresh, then in steps:
        since_boot, sent = since_boot + fresh, sent + fresh
        counted = use.count(Traffic("wwan0", NetworkKind.MOBILE, since_boot), NOON)
        assert counted == round(sent / 1e6, 1)
        if then != "go":
            use.keep()
            boot, since_boot = (boot + 1, 0) if then == "boot" else (boot, since_boot)
            use = DataUse(path, str(boot))


def test_a_month_begins_at_nothing_and_only_when_the_time_is_known(tmp_path):
    use = DataUse(tmp_path / "data.json", "0")
    november, december = datetime(2026, 11, 30), datetime(2026, 12, 1)  # noqa: DTZ001 - on the wall
    assert use.count(Traffic("wwan0", total_bytes=5_000_000), None) == 0.0
    assert use.count(Traffic("wwan0", total_bytes=6_000_000), november) == 1.0
    assert use.count(Traffic("wwan0", total_bytes=7_000_000), None) == 2.0
    assert use.count(Traffic("wwan0", total_bytes=9_000_000), december) == 2.0
    assert use.total_mb == 4.0


def test_what_was_ever_counted_outlives_a_wrong_month_and_a_new_program(tmp_path):
    use = DataUse(tmp_path / "data.json", "0")
    wrong, right = datetime(2040, 1, 1), datetime(2026, 12, 1)  # noqa: DTZ001 - on the wall
    for number, wall in enumerate((right, wrong, right), 1):
        use.count(Traffic("wwan0", total_bytes=number * 1_000_000), wall)
    use.keep()
    assert DataUse(tmp_path / "data.json", "1").total_mb == use.total_mb == 2.0


def test_an_interface_that_was_taken_out_counts_from_nothing(tmp_path):
    use = DataUse(tmp_path / "data.json", "0")
    for total_bytes in (1_000_000, 8_000_000):
        use.count(Traffic("wwan0", total_bytes=total_bytes), NOON)
    assert use.count(Traffic("wwan0", total_bytes=1_000_000), NOON) == 8.0


def test_a_damaged_sum_begins_anew_and_a_full_disk_stops_nothing(tmp_path):
    path = tmp_path / "gone" / "data.json"
    use = DataUse(path, "0")
    use.count(Traffic("wwan0", total_bytes=1), NOON)
    use.keep()
    path.parent.mkdir()
    path.write_text('{"used_bytes": -3}')
    assert DataUse(path, "0").count(Traffic("wwan0", total_bytes=2_000_000), NOON) == 0.0
