"""The embedded broker: the library's, with its faults mended.

Each override names what amqtt 0.12.1 does otherwise.
"""

import asyncio
import math
from typing import Any

import amqtt.broker
from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig
from amqtt.errors import MQTTError
from amqtt.mqtt.connack import NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.plugins.manager import PluginManager
from amqtt.session import Session
from typing_extensions import override

from server.mqtt.embedded.plugins import FileAccess

RELOAD_S = 0.5


class PunctualHandler(BrokerProtocolHandler):  # type: ignore[misc] # the library is untyped
    """One client's connection, which ends when its keep-alive has passed in silence."""

    @override
    def handle_read_timeout(self) -> None:
        """Give a silent client up, so that its will is sent; amqtt waits for ever."""
        self._giving_up = asyncio.ensure_future(self.handle_connection_closed())

    @classmethod
    @override
    async def init_from_connect(
        cls, reader: ReaderAdapter, writer: WriterAdapter, plugins_manager: PluginManager
    ) -> tuple[BrokerProtocolHandler, Session]:
        """Ask for the password before anything else.

        amqtt first drops or takes over the session that the client names, and only then asks who
        it is; and it keeps what it refused for connected. The client id becomes the user name, as
        with Mosquitto's ``use_username_as_clientid``, so that nobody can put out somebody else.
        """
        handler, session = await super().init_from_connect(reader, writer, plugins_manager)
        if not all((await plugins_manager.map_plugin_auth(session=session)).values()):
            await ConnackPacket.build(0, NOT_AUTHORIZED).to_stream(writer)
            await writer.close()
            raise MQTTError("not authorized")
        session.client_id = session.username
        # One and a half times what was agreed (MQTT 3.1.1, 3.1.2.10); amqtt allows once.
        session.keep_alive = math.ceil(session.keep_alive * 1.5)
        return handler, session


class Subscriptions(dict[str, list[tuple[Session, int]]]):
    """Who wants what, as it stands when it is asked for.

    amqtt goes through it while it sends, and gives up when a client comes or goes meanwhile: the
    others never get the message.
    """

    @override
    def items(self) -> Any:
        """List topic filters with their subscribers; later changes do not show."""
        return [(topic_filter, [*who]) for topic_filter, who in super().items()]


class TrialBroker(Broker):  # type: ignore[misc] # the library is untyped
    """A broker for a few nodes on one machine."""

    def __init__(self, *, bind: str, password_file: str, access_file: str) -> None:
        path = f"{FileAccess.__module__}.{FileAccess.__qualname__}"
        super().__init__(
            BrokerConfig(
                listeners={"default": ListenerConfig(bind=bind)},
                plugins={path: {"password_file": password_file, "access_file": access_file}},
            )
        )
        self._subscriptions = Subscriptions()
        # The library names its handler's class in the module and takes it from nowhere else.
        amqtt.broker.BrokerProtocolHandler = PunctualHandler
        self._files: FileAccess = self.plugins_manager.get_plugin(FileAccess.__name__)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set, following the files."""
        await self.start()
        while not stop.is_set():
            if self._files.reload():
                await self._put_out_strangers()
            await _wait(stop, RELOAD_S)
        await self.shutdown()

    async def _put_out_strangers(self) -> None:
        for client_id, (session, _handler) in list(self._sessions.items()):
            if not self._files.knows(session.username):
                await self._cleanup_session(client_id)

    @override
    async def _delete_session(self, client_id: str) -> None:
        """Forget a session and end its connection, which amqtt leaves open."""
        _session, handler = self._sessions.get(client_id, (None, None))
        await super()._delete_session(client_id)
        if handler is not None:
            await self._stop_handler(handler)

    @override
    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        """Send what is retained for a subscription of this client, if it may read it.

        amqtt sends every connecting client what anybody has subscribed to, asking no plugin.
        """
        topic_filter, _qos = subscription
        handler = self._get_handler(session)
        if handler is None or not self._subscribed(session, topic_filter):
            return
        for topic, kept in list(self._retained_messages.items()):
            if self._matches(topic, topic_filter) and self._files.may_read(session.username, topic):
                # QoS 0: whoever misses it is sent it again by the server.
                await handler.mqtt_publish(topic, kept.data, 0, retain=True)

    def _subscribed(self, session: Session, topic_filter: str) -> bool:
        subscribers = self._subscriptions.get(topic_filter, [])
        return any(subscriber is session for subscriber, _qos in subscribers)


async def _wait(stop: asyncio.Event, timeout_s: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), timeout_s)
    except TimeoutError:
        return
