"""Clusters, which stay for ever, and the nodes commissioned at them, which do not."""

from datetime import date

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import Base
from server.store.types import Bytes, ClaimKey, Document, Id, Instant, Name, Wide, Word, WordList


class ClusterRow(Base):
    """Loudspeakers at one place, driven together.

    Attributes:
        languages: Languages spoken there; none named: Vietnamese.
        delay_ms: How much later than by the clock all of its sound is heard.
        talk_away_min: For how many minutes the network must have been away before the talk key of
            its box may be used; 0: it need not be; None: it may never be.
        talk_most_s: The longest that is spoken by it at once.
        reach_m: How far its horns are understood; None: nobody has said.
        data_plan_mb: What its SIM may use in a month; None: nobody has said.
        data_plan_day: Day of the month on which that starts anew.
    """

    __tablename__ = "clusters"

    cluster_id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[Name]
    village: Mapped[Name]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    people: Mapped[int] = mapped_column(default=0)
    contact_name: Mapped[Name] = mapped_column(default="")
    contact_phone: Mapped[Word] = mapped_column(default="")
    volume_ceiling_db: Mapped[float] = mapped_column(default=0.0)
    languages: Mapped[WordList] = mapped_column(default=list, server_default="[]")
    delay_ms: Mapped[int] = mapped_column(default=0, server_default="0")
    talk_away_min: Mapped[int | None]
    talk_most_s: Mapped[int] = mapped_column(default=120, server_default="120")
    reach_m: Mapped[int | None]
    data_plan_mb: Mapped[int | None]
    data_plan_day: Mapped[int] = mapped_column(default=1, server_default="1")


class ClusterUnitRow(Base):
    """Which commune a cluster belongs to, from one day to another (half-open)."""

    __tablename__ = "cluster_units"
    __table_args__ = (UniqueConstraint("cluster_id", "valid_from"),)

    cluster_unit_id: Mapped[int] = mapped_column(primary_key=True)
    cluster_id: Mapped[Id] = mapped_column(ForeignKey("clusters.cluster_id"))
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.unit_id"), index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class NodeRow(Base):
    """The computer at a cluster: how it is known to the broker, and what was last heard of it.

    Attributes:
        secret_hash: Salted hash of its password, in the form the broker's password file takes.
        presence: ``here``, ``leaving``, ``lost`` or ``never``, as the node or its will last said.
        last_heard_at: When anything last came from it.
        plan_versions: Version of each unit's plan that it said it holds.
        on_air: Claim that it said it is sounding, or empty.
        on_air_at: Instant, by its own clock, of which that is known.
        alarms: Names of the alarms that it said stand.
        alarms_at: Instant, by its own clock, since when that is so.
        equipment: What it said is wired to its board; None: it has not said.
        data_mb: What went through its network since it was first heard of; only grows.
        data_day: Day, by the server's clock, whose beginning was marked last.
    """

    __tablename__ = "nodes"
    __table_args__ = (
        Index(
            "uq_nodes_cluster_active",
            "cluster_id",
            unique=True,
            sqlite_where=text("decommissioned_at IS NULL"),
            postgresql_where=text("decommissioned_at IS NULL"),
        ),
        # Asked for every second of all nodes, whose rows are large.
        Index(
            "ix_nodes_presence",
            "presence",
            "presence_at",
            "config_version",
            "held_config_version",
            sqlite_where=text("decommissioned_at IS NULL"),
            postgresql_where=text("decommissioned_at IS NULL"),
        ),
    )

    node_id: Mapped[Id] = mapped_column(primary_key=True)
    cluster_id: Mapped[Id] = mapped_column(ForeignKey("clusters.cluster_id"))
    secret_hash: Mapped[Name]
    commissioned_at: Mapped[Instant]
    decommissioned_at: Mapped[Instant | None]
    config_version: Mapped[Wide] = mapped_column(default=0)
    config_token: Mapped[Bytes | None] = mapped_column(deferred=True)
    presence: Mapped[Word] = mapped_column(default="never")
    presence_at: Mapped[Instant | None]
    last_heard_at: Mapped[Instant | None]
    software: Mapped[Name] = mapped_column(default="")
    nudged_at: Mapped[Instant | None]
    held_config_version: Mapped[Wide] = mapped_column(default=0)
    plan_versions: Mapped[Document] = mapped_column(default=dict)
    on_air: Mapped[ClaimKey] = mapped_column(default="")
    on_air_at: Mapped[Instant | None]
    telemetry: Mapped[Document] = mapped_column(default=dict)
    alarms: Mapped[WordList] = mapped_column(default=list, server_default="[]")
    alarms_at: Mapped[Instant | None]
    equipment: Mapped[WordList | None]
    data_mb: Mapped[float] = mapped_column(default=0.0, server_default="0")
    data_day: Mapped[date | None]


class DataMarkRow(Base):
    """What a node had used when it was first heard of on a day of the server's."""

    __tablename__ = "data_marks"

    node_id: Mapped[Id] = mapped_column(ForeignKey("nodes.node_id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    data_mb: Mapped[float]
