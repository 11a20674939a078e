"""All rows; importing this makes the metadata whole."""

from server.store.models.accounts import (
    CalendarAddressRow,
    GrantRow,
    RateCountRow,
    RecoveryCodeRow,
    RoleRow,
    SecondFactorRow,
    UserRow,
)
from server.store.models.assent import AssentRuleRow, WaitingRow
from server.store.models.assets import AssetRow
from server.store.models.audit import AuditRow
from server.store.models.broadcasts import AsRunRow, BroadcastRow, DeliveryRow, RecordLinkRow
from server.store.models.bulletins import (
    BulletinActRow,
    BulletinCopyRow,
    BulletinRow,
    ClaimRankRow,
)
from server.store.models.changes import SlotChangeRow
from server.store.models.escalation import (
    AlertChannelRow,
    AlertRow,
    ContactRow,
    EscalationRow,
    EscalationRuleRow,
    UnansweredRow,
)
from server.store.models.hushes import HushDeliveryRow, HushRow
from server.store.models.nodes import ClusterRow, ClusterUnitRow, DataMarkRow, NodeRow
from server.store.models.outbox import EventRow, OutboxRow, RefusalRow, ReportRow
from server.store.models.slots import (
    FrameRow,
    OccurrenceRow,
    PlanRow,
    PlanVersionRow,
    SlotItemRow,
    SlotRow,
    SlotTargetRow,
)
from server.store.models.speeches import SpeechRow
from server.store.models.units import (
    GroupMemberRow,
    GroupRow,
    LevelRow,
    ReformRow,
    SheetDraftRow,
    TreeStateRow,
    UnitEdgeRow,
    UnitKeyRow,
    UnitRow,
)
from server.store.models.upkeep import UpkeepRow
from server.store.models.warnings import CompositionRow, WarningRecordingRow

__all__ = [
    "AlertChannelRow",
    "AlertRow",
    "AsRunRow",
    "AssentRuleRow",
    "AssetRow",
    "AuditRow",
    "BroadcastRow",
    "BulletinActRow",
    "BulletinCopyRow",
    "BulletinRow",
    "CalendarAddressRow",
    "ClaimRankRow",
    "ClusterRow",
    "ClusterUnitRow",
    "CompositionRow",
    "ContactRow",
    "DataMarkRow",
    "DeliveryRow",
    "EscalationRow",
    "EscalationRuleRow",
    "EventRow",
    "FrameRow",
    "GrantRow",
    "GroupMemberRow",
    "GroupRow",
    "HushDeliveryRow",
    "HushRow",
    "LevelRow",
    "NodeRow",
    "OccurrenceRow",
    "OutboxRow",
    "PlanRow",
    "PlanVersionRow",
    "RateCountRow",
    "RecordLinkRow",
    "RecoveryCodeRow",
    "ReformRow",
    "RefusalRow",
    "ReportRow",
    "RoleRow",
    "SecondFactorRow",
    "SheetDraftRow",
    "SlotChangeRow",
    "SlotItemRow",
    "SlotRow",
    "SlotTargetRow",
    "SpeechRow",
    "TreeStateRow",
    "UnansweredRow",
    "UnitEdgeRow",
    "UnitKeyRow",
    "UnitRow",
    "UpkeepRow",
    "UserRow",
    "WaitingRow",
    "WarningRecordingRow",
]
