from datetime import UTC, datetime

import pytest

from tests.factories.sounds import encode, noise
from tests.factories.stations import AudioServer, Mosquitto, NodeProcess, Station


@pytest.fixture
def broker(tmp_path):
    running = Mosquitto(tmp_path)
    yield running
    running.kill()


@pytest.fixture
def audio():
    server = AudioServer()
    yield server
    server.close()


@pytest.fixture
def station(broker):
    server = Station(broker.port)
    yield server
    server.close()


@pytest.fixture
def node(tmp_path, broker, audio):
    process = NodeProcess(tmp_path, broker.port, audio.base)
    yield process
    process.stop()


@pytest.fixture
def recorded(tmp_path, audio):
    """Make noise of a length and seed, and put it on the audio server as Opus."""

    def make(seconds: float, seed: int):
        path = encode(tmp_path / f"{seed}.opus", noise(seconds, seed=seed))
        return audio.add(path.read_bytes(), seconds)

    return make


@pytest.fixture
def now():
    return datetime.now(UTC)
