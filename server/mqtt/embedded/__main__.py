"""``python -m server.mqtt.embedded``: serve until told to stop or until the parent has gone."""

import argparse
import asyncio
import ctypes
import logging
import signal

from server.mqtt.embedded.broker import TrialBroker

_PR_SET_PDEATHSIG = 1


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    broker = TrialBroker(
        bind=options.bind, password_file=options.passwords, access_file=options.access
    )
    await broker.run(stop)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bind", required=True, help="address:port to listen on")
    parser.add_argument("--passwords", required=True, help="password file, in Mosquitto's form")
    parser.add_argument("--access", required=True, help="access file, in Mosquitto's form")
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # The library remarks on every connection, and calls one that is closed at once an error, as
    # whoever asks whether the port is open does. What ends the broker is raised besides.
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    asyncio.run(_serve(options))


if __name__ == "__main__":
    main()
