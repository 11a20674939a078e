"""Units, clusters, nodes, files and people: who may enter them, and what is already taken."""

import hashlib
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from audio_library.assets import Asset, Loudness, Origin
from protocol.errors import BadIdError
from protocol.messages import BulletinClass, Config, Presence, PresenceState, Telemetry
from protocol.signing import unverified
from server.domain.authority import Action, Role, may
from server.domain.errors import KeyMissingError, NotAllowedError, TakenError, UnknownThingError
from server.services import (
    accounts,
    catalogue,
    commissioning,
    configuring,
    grouping,
    monitoring,
    units,
)
from server.services.keyring import ROOT_PRIVATE, Keyring, create_secrets
from server.store.models import AssetRow, AuditRow, NodeRow, UnitKeyRow
from tests.factories.claims import NOON, at
from tests.factories.provinces import CHIME, CLUSTERS, SPEECH, Listener
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, a_cluster, an_actor

FACTS = {"now": NOON, "actor": OPERATOR}
TECHNICIAN = an_actor(Role.TECHNICIAN)


def an_audio_file(digest: str = "b" * 64) -> Asset:
    loudness = Loudness(-20.0, -3.0)
    origin = Origin(1000, "mp3", "mp3", 44_100, 2, loudness, 0)
    return Asset(digest, 48_000, 500, -16.0, -3.0, 4.0, "c" * 64, "opus-48k-mono-1", origin)


def test_a_unit_gets_a_key_that_the_root_vouches_for_in_every_class(province):
    config = province.commission("xa-1-c1")
    listener = Listener.of(province.posted("/in/config")[0].payload, config.root_key)
    vouched = {v.certificate.unit: v.certificate for v in listener.believed.certificates.values()}
    assert set(vouched) == {"tinh", "xa-1"}
    assert vouched["xa-1"].classes == tuple(BulletinClass)
    assert (vouched["tinh"].configures, vouched["xa-1"].configures) == (True, False)
    assert (vouched["tinh"].level, vouched["xa-1"].level) == (0, 1)


def test_names_that_are_taken_or_lead_nowhere_are_refused(province):
    keyed = {"keyring": province.keyring, **FACTS}
    new_unit = units.NewUnit("xa-1", "Xã", 1, "tinh")
    no_such_level = units.NewUnit("x", "X", 7, "tinh")
    no_such_parent = units.NewUnit("x", "X", 1, "no")
    cases = (
        (TakenError, units.create_unit, {"new": new_unit, **keyed}),
        (UnknownThingError, units.create_unit, {"new": no_such_level, **keyed}),
        (UnknownThingError, units.create_unit, {"new": no_such_parent, **keyed}),
        (BadIdError, units.create_unit, {"new": units.NewUnit("Xã", "X", 1, "tinh"), **keyed}),
        (TakenError, units.create_cluster, {"new": a_cluster("xa-1-c1", "xa-2"), **FACTS}),
        (UnknownThingError, units.create_cluster, {"new": a_cluster("c-9", "no"), **FACTS}),
    )
    for error, service, facts in cases:
        with pytest.raises(error):
            province.run(service, **facts)


def test_only_an_administrator_of_the_place_builds_it_up(province):
    officer, admin = an_actor(), an_actor(Role.ADMIN, "xa-1")
    keyed = {"now": NOON, "keyring": province.keyring}
    village = units.NewUnit("thon-1", "Thôn", 1, "xa-1")
    with pytest.raises(NotAllowedError):
        province.run(units.create_unit, new=village, actor=officer, **keyed)
    province.run(units.create_unit, new=village, actor=admin, **keyed)
    with pytest.raises(NotAllowedError):
        province.run(units.create_cluster, new=a_cluster("c-9", "xa-2"), now=NOON, actor=admin)
    with pytest.raises(NotAllowedError):  # a second root of the tree
        province.run(units.create_unit, new=units.NewUnit("t-2", "T", 0), actor=admin, **keyed)
    assert province.run(units.tree, today=TODAY).chain("thon-1") == ("tinh", "xa-1", "thon-1")


def test_a_tree_is_read_as_it_is_on_the_day(province):
    assert not province.run(units.tree, today=TODAY - timedelta(days=1)).units
    assert set(province.run(units.tree, today=TODAY).units) == {"tinh", "xa-1", "xa-2"}


def test_a_group_names_clusters_that_exist_and_an_id_of_its_own(province):
    group = {"group_id": "huyen-cu", "name": "Huyện cũ", "unit_id": "tinh", **FACTS}
    with pytest.raises(UnknownThingError):
        province.run(grouping.create_group, clusters=("c-none",), **group)
    province.run(grouping.create_group, clusters=("xa-1-c1", "xa-2-c1", "xa-1-c1"), **group)
    (made,) = province.run(grouping.groups)
    assert (made.name, made.clusters) == ("Huyện cũ", ("xa-1-c1", "xa-2-c1"))
    with pytest.raises(TakenError):
        province.run(grouping.create_group, clusters=(), **group)


def test_a_key_can_be_issued_only_where_the_root_key_is(province, tmp_path):
    create_secrets(tmp_path)
    (tmp_path / ROOT_PRIVATE).unlink()
    with pytest.raises(KeyMissingError):
        province.run(
            units.create_unit,
            new=units.NewUnit("xa-3", "Xã", 1, "tinh"),
            keyring=Keyring.open(tmp_path),
            **FACTS,
        )
    assert not province.rows(UnitKeyRow, unit_id="xa-3")


def test_secrets_that_are_there_stay(tmp_path):
    create_secrets(tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    create_secrets(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_node_is_configured_with_its_place_its_chain_and_what_it_keeps(province):
    province.commission("xa-1-c1", audio_urls=("https://loa.example/assets",))
    (token,) = province.said("/in/config")
    config = token.msg
    assert isinstance(config, Config)
    assert (config.node, config.cluster) == ("n-xa-1-c1", "xa-1-c1")
    assert [(place.unit, place.level) for place in config.chain] == [("tinh", 0), ("xa-1", 1)]
    assert config.audio == ("https://loa.example/assets",)
    assert {asset.digest for asset in config.pinned} == {CHIME.digest, SPEECH.digest}
    assert province.posted("/in/config")[0].retained


def test_a_new_node_at_a_cluster_replaces_the_one_that_was_there(province):
    first = province.commission("xa-1-c1")
    second = province.commission("xa-1-c1", "n-new", now=at(1))
    former, current = sorted(province.rows(NodeRow), key=lambda row: row.commissioned_at)
    assert (former.decommissioned_at, current.decommissioned_at) == (at(1), None)
    assert [line.split(":")[0] for line in province.run(commissioning.password_lines)] == ["n-new"]

    def is_secret(node: str, secret: str) -> bool:
        return province.run(commissioning.node_secret_is, node_id=node, secret=secret)

    assert is_secret("n-new", second.secret)
    assert not is_secret("n-new", first.secret)
    assert not is_secret("n-xa-1-c1", first.secret)
    assert not is_secret("n-none", "")


def test_a_nodes_id_is_never_used_again(province):
    province.commission("xa-1-c1", "n-1")
    with pytest.raises(TakenError):
        province.commission("xa-2-c1", "n-1")
    province.commission("xa-1-c1", "n-2")
    with pytest.raises(TakenError):
        province.commission("xa-1-c1", "n-1")


def test_nodes_are_for_those_who_maintain_the_place(province):
    for actor in (an_actor(), an_actor(Role.VIEWER), an_actor(Role.TECHNICIAN, "xa-2")):
        with pytest.raises(NotAllowedError):
            province.commission("xa-1-c1", actor=actor)
    assert province.commission("xa-1-c1", actor=TECHNICIAN)
    with pytest.raises(UnknownThingError):
        province.commission("c-none")


def test_two_technicians_at_one_cluster_leave_one_active_node(province):
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda n: province.commission("xa-1-c1", f"n-{n}"), range(3)))
    assert len(province.rows(NodeRow, decommissioned_at=None)) == 1
    assert len(province.rows(NodeRow)) == 3


def test_configurations_have_versions_that_only_grow(province):
    province.commission("xa-1-c1")
    keyed = {"node_id": "n-xa-1-c1", "keyring": province.keyring}
    for now in (NOON, at(-60), at(60)):
        province.run(configuring.publish_config, now=now, **keyed)
    versions = [token.msg.version for token in province.said("/in/config")]
    assert versions == sorted(set(versions))


def test_a_secret_is_kept_only_as_the_hash_that_the_broker_takes(province):
    secret = province.commission("xa-1-c1").secret
    line = province.run(commissioning.password_lines)[0]
    node, _, hashed = line.partition(":")
    _, kind, iterations, salt, digest = hashed.split("$")
    expected = hashlib.pbkdf2_hmac("sha512", secret.encode(), b64decode(salt), int(iterations))
    assert (node, kind, b64decode(digest)) == ("n-xa-1-c1", "7", expected)
    assert secret not in line
    assert commissioning.hashed_secret(secret) != hashed  # salted


def test_the_same_file_entered_twice_is_one_entry_even_by_several_at_once(province):
    new = catalogue.NewAsset("xa-1", "Bài hát", "programme")

    def enter(_: int) -> str:
        return province.run(
            catalogue.add_asset, new=new, asset=an_audio_file(), now=NOON, actor=an_actor()
        ).digest

    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(enter, range(3))) == {"b" * 64}
    assert len(province.rows(AssetRow, digest="b" * 64)) == 1
    assert len(province.rows(AuditRow, action="add-asset")) == 1


def test_a_unit_uses_its_own_files_and_those_of_the_units_above(province):
    for digest, unit in (("1" * 64, "tinh"), ("2" * 64, "xa-1"), ("3" * 64, "xa-2")):
        new = catalogue.NewAsset(unit, "Bài", "programme")
        province.run(catalogue.add_asset, new=new, asset=an_audio_file(digest), **FACTS)
    usable = province.run(catalogue.usable_assets, chain=("tinh", "xa-1"), purpose="programme")
    assert {row.digest[0] for row in usable} == {"1", "2"}
    with pytest.raises(NotAllowedError):
        province.run(
            catalogue.add_asset,
            new=catalogue.NewAsset("xa-1", "Bài", "programme"),
            asset=an_audio_file("4" * 64),
            now=NOON,
            actor=TECHNICIAN,
        )


def test_what_two_communes_both_brought_may_be_used_by_both_and_not_by_a_third_before(province):
    digest = "5" * 64

    def enter(unit: str) -> None:
        new = catalogue.NewAsset(unit, "Bài", "programme")
        province.run(catalogue.add_asset, new=new, asset=an_audio_file(digest), **FACTS)

    def users() -> set[str]:
        return {
            unit
            for unit in ("tinh", "xa-1", "xa-2")
            if province.run(may_be_used, digest=digest, unit_id=unit)
        }

    enter("xa-1")
    assert users() == {"tinh", "xa-1"}
    enter("xa-2")
    assert users() == {"tinh", "xa-1", "xa-2"}


def may_be_used(db, *, digest: str, unit_id: str) -> bool:
    return catalogue.may_use(units.tree(db, today=TODAY), db.get_one(AssetRow, digest), unit_id)


def enter(province, unit: str, digest: str, purpose: str, minutes: float = 0) -> str:
    new = catalogue.NewAsset(unit, "Tệp", purpose)
    facts = {"now": at(minutes), "actor": OPERATOR}
    return province.run(
        catalogue.add_asset, new=new, asset=an_audio_file(digest * 64), **facts
    ).digest


def test_a_communes_chime_opens_its_own_announcements_and_nobody_elses(province):
    own = enter(province, "xa-1", "7", "chime", minutes=1)
    openings = {
        unit: province.run(catalogue.default_opening, chain=("tinh", unit)).digest
        for unit in ("xa-1", "xa-2")
    }
    assert openings == {"xa-1": own, "xa-2": CHIME.digest}
    assert province.run(catalogue.default_opening, chain=("tinh",)).digest == CHIME.digest
    assert province.announce(unit_id="xa-1").opening_digest == own
    assert province.announce(unit_id="xa-2", units=("xa-2",)).opening_digest == CHIME.digest
    # A node under it needs both: its commune's, and the province's for what comes from there.
    kept = {row.digest for row in province.run(catalogue.pinned, chain=("tinh", "xa-1"))}
    assert kept == {own, CHIME.digest, SPEECH.digest}


def due_configs(province, now=NOON, **facts: object) -> int:
    return province.run(configuring.publish_due_configs, now=now, keyring=province.keyring, **facts)


def test_nodes_are_told_of_warnings_chimes_and_groups_that_came_after_them(province):
    for cluster in ("xa-1-c1", "xa-2-c1"):
        province.commission(cluster, audio_urls=("https://loa.example/assets",))
    assert due_configs(province) == 0
    warning = enter(province, "xa-1", "7", "warning")
    assert due_configs(province, under="xa-2") == 0
    assert due_configs(province) == 1
    group = {"group_id": "huyen", "name": "Huyện", "unit_id": "tinh", "clusters": ("xa-2-c1",)}
    province.run(grouping.create_group, **group, **FACTS)
    assert due_configs(province, now=at(1)) == 1
    assert due_configs(province, now=at(2)) == 0
    told = {token.msg.node: token.msg for token in province.said("/in/config")}
    assert warning in {asset.digest for asset in told["n-xa-1-c1"].pinned}
    assert warning not in {asset.digest for asset in told["n-xa-2-c1"].pinned}
    assert told["n-xa-2-c1"].groups == ("huyen",)
    assert {config.audio for config in told.values()} == {("https://loa.example/assets",)}


def test_a_province_of_configurations_is_published_a_part_at_a_time(province):
    for cluster in CLUSTERS:
        province.commission(cluster)
    enter(province, "tinh", "7", "warning")
    assert [due_configs(province, most=3) for _ in range(3)] == [3, 1, 0]


def test_a_configuration_is_renewed_long_before_its_end(province):
    province.commission("xa-1-c1")
    life, before = configuring.CONFIG_LIFE, configuring.RENEWED_BEFORE_END
    assert due_configs(province, now=NOON + life - before - timedelta(days=1)) == 0
    later = NOON + life - before + timedelta(days=1)
    assert due_configs(province, now=later) == 1
    assert due_configs(province, now=later) == 0


def create_user(province, *grants: tuple[str, str], actor=OPERATOR, username: str = "lan"):
    return province.run(
        accounts.create_user,
        username=username,
        password_hash="-",  # noqa: S106 - no password
        full_name="Lan",
        grants=grants,
        now=NOON,
        actor=actor,
    )


def test_a_person_may_do_what_was_granted(province):
    actor = accounts.actor_of(create_user(province, ("commune-officer", "xa-1")))
    assert actor.name == "lan"
    assert may(actor, Action.ANNOUNCE, ("tinh", "xa-1"))
    assert not may(actor, Action.ANNOUNCE, ("tinh", "xa-2"))


def test_nobody_grants_what_is_not_theirs_to_give(province):
    admin = an_actor(Role.ADMIN, "xa-1")
    for grants in ([("viewer", "xa-2")], [("viewer", "xa-1"), ("viewer", "tinh")], []):
        with pytest.raises(NotAllowedError):
            create_user(province, *grants, actor=admin)
    with pytest.raises(NotAllowedError):
        create_user(province, ("viewer", "xa-1"), actor=an_actor())
    assert create_user(province, ("admin", "xa-1"), actor=admin)


def test_a_user_name_is_somebodys_and_roles_and_units_must_exist(province):
    name = create_user(province).username
    for same in (name, name.upper()):
        with pytest.raises(TakenError):
            create_user(province, username=same)
    for grant in (("king", "xa-1"), ("viewer", "xa-9"), ("admin", "*")):
        with pytest.raises(UnknownThingError):
            create_user(province, grant, username="minh")


def test_the_overview_shows_every_cluster_its_node_and_what_it_plays(province):
    province.commission("xa-1-c1")
    broadcast = province.announce()
    here = Presence(node="n-xa-1-c1", state=PresenceState.HERE, software="loalang 1")
    playing = Telemetry(
        at=NOON, on_air=broadcast.broadcast_id, level_dbfs=-18.5, clock_trusted=False
    )
    province.hear("n-xa-1-c1", here, playing)
    tree = province.run(units.tree, today=TODAY)
    states = province.run(monitoring.overview, now=NOON, units=tree)
    assert [state.cluster_id for state in states] == ["xa-1-c1", "xa-1-c2", "xa-2-c1", "xa-2-c2"]
    first, second, *_ = states
    assert (first.liveness, first.on_air_title, first.level_dbfs) == ("here", "Lũ lên nhanh", -18.5)
    assert first.holds_newest_plan
    assert (first.clock_trusted, second.clock_trusted) == (False, None)
    assert (second.liveness, second.node_id) == ("none", None)
    under = province.run(monitoring.overview, now=NOON, units=tree, under="xa-2")
    assert {state.unit_id for state in under} == {"xa-2"}
    province.add_slot()
    later = province.run(monitoring.overview, now=at(60), units=tree)[0]
    assert (later.liveness, later.on_air_title, later.holds_newest_plan) == ("lost", "", False)


def test_the_status_counts_where_a_broadcast_stands(province):
    broadcast = province.announce()
    status = province.run(monitoring.status, broadcast_id=broadcast.broadcast_id, now=NOON)
    assert status.counts == {"sent": 2}
    assert [row.liveness for row in status.deliveries] == ["none", "none"]
    assert unverified(status.broadcast.token).msg.claim.claim_id == broadcast.broadcast_id
    with pytest.raises(UnknownThingError):
        province.run(monitoring.status, broadcast_id="b-none", now=NOON)
