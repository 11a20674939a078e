"""The server's settings: the only reader of the environment."""

from pathlib import Path

from pydantic import Field, IPvAnyNetwork, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.integrations.apprise_services import SERVICES

PREFIX = "LOA_"


class Settings(BaseSettings):
    """What an installation may choose; each field is ``LOA_`` and its name in capitals.

    Attributes:
        state_dir: Where the embedded default keeps everything.
        database_url: SQLAlchemy address; empty: SQLite in ``state_dir``.
        host: Address that pages and API listen on.
        port: Their port.
        public_url: Address under which people reach the pages; empty: host and port.
        mqtt_host: Where the gateway finds the broker.
        mqtt_port: Its port.
        trusted_proxies: How many proxies of ours stand before the web program; whose addresses
            and scheme of a request are believed as they say.
        mqtt_version: 5, or 3 for brokers that speak only 3.1.1.
        mqtt_for_nodes: Broker addresses that nodes are given; empty: the gateway's own.
        audio_for_nodes: Addresses of the audio files that nodes are given; empty: the public one.
        plan_days: How many days ahead plans reach.
        live_port: Port for microphones of live broadcasts; 0: the one after ``port``.
        live_url: Address under which browsers reach it, ``wss://…``; empty: ``/microphone`` of the
            public address, or the same host with that port.
        live_delay_s: How long after each word the loudspeakers sound it, all at once.
        lead_s: From signing an urgent order to its sounding time, in seconds.
        map_tiles: Address of map tiles with ``{z}``, ``{x}`` and ``{y}``; empty: none are fetched.
        unsent_stale_min: Minutes after which an announcement that a phone could not send is not
            sent by itself any more.
        factor_fresh_min: Minutes for which a second factor counts that was proven.
        piper: Program of Piper, or one with its options; empty: eSpeak NG speaks.
        piper_voice: The Vietnamese voice that it speaks with, a ``.onnx`` file.
        alert_schemes: Services on which people may be told that clusters do not answer, by the
            schemes of their addresses; empty: all that are known.
        alert_private_networks: Networks with hosts to which alerts may go though they are not
            public.
        demo: Show the demo's log-ins; never set outside ``loa demo``.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    state_dir: Path = Path("var")
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    public_url: str = ""
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    mqtt_host: str = "127.0.0.1"
    mqtt_port: int = Field(default=1883, ge=1, le=65535)
    mqtt_version: int = Field(default=5, ge=3, le=5)
    mqtt_for_nodes: tuple[str, ...] = ()
    audio_for_nodes: tuple[str, ...] = ()
    plan_days: int = Field(default=14, ge=1, le=60)
    live_port: int = Field(default=0, ge=0, le=65535)
    live_url: str = Field(default="", pattern=r"^(wss?://\S+)?$")
    live_delay_s: float = Field(default=1.0, ge=0.2, le=5)
    lead_s: float = Field(default=0.3, ge=0, le=10)
    map_tiles: str = Field(default="", pattern=r"^(https?://[^\s;,]+)?$")
    unsent_stale_min: int = Field(default=10, ge=1, le=1440)
    factor_fresh_min: int = Field(default=15, ge=1, le=720)
    piper: Path | None = None
    piper_voice: Path | None = None
    alert_schemes: tuple[str, ...] = ()
    alert_private_networks: tuple[IPvAnyNetwork, ...] = ()
    demo: bool = False

    @field_validator("alert_schemes")
    @classmethod
    def _are_known(cls, schemes: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what would be passed over in silence, and then nobody be told on it."""
        unknown = sorted(set(schemes) - SERVICES.keys())
        if unknown:
            said, known = ", ".join(unknown), ", ".join(sorted(SERVICES))
            raise ValueError(f"not known: {said}; known are {known}")
        return schemes

    @property
    def database(self) -> str:
        """Address of the database."""
        return self.database_url or f"sqlite:///{self.state_dir.absolute() / 'loa.db'}"

    @property
    def asset_dir(self) -> Path:
        """Folder of the audio files, named by digest."""
        return self.state_dir / "audio"

    @property
    def recording_dir(self) -> Path:
        """Folder of what is being spoken, until it is kept as an audio file."""
        return self.state_dir / "speaking"

    @property
    def upload_dir(self) -> Path:
        """Folder of files on their way in."""
        return self.state_dir / "uploads"

    @property
    def secrets_dir(self) -> Path:
        """Folder of keys and passwords, readable by the server alone."""
        return self.state_dir / "secrets"

    @property
    def demo_logins(self) -> Path:
        """File in which a demo lists its log-ins for the first page."""
        return self.state_dir / "demo-logins.json"

    @property
    def address(self) -> str:
        """Address under which people reach the pages."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def microphone_port(self) -> int:
        """Port for microphones of live broadcasts."""
        return self.live_port or self.port + 1

    def microphone_url(self, host: str) -> str:
        """Tell under which address a browser reaches it that has asked ``host`` for the page."""
        if self.live_url:
            return self.live_url
        if self.public_url:
            return f"ws{self.public_url.removeprefix('http')}/microphone"
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        return f"ws://{name}:{self.microphone_port}/microphone"

    @property
    def mqtt_urls(self) -> tuple[str, ...]:
        """Broker addresses for nodes."""
        own = f"mqtt://{self.mqtt_host}:{self.mqtt_port}?version={self.mqtt_version}"
        return self.mqtt_for_nodes or (own,)

    @property
    def audio_urls(self) -> tuple[str, ...]:
        """Base addresses of the audio files for nodes."""
        return self.audio_for_nodes or (f"{self.address}/api/v1/assets",)
