"""Who sends and who receives, and what somebody is offered to do with a bulletin."""

from server.domain.authority import Action, Actor, may
from server.domain.bulletins import Act, allowed
from server.domain.units import Tree, Unit
from server.services.bulletins import life_of, stations
from server.store.models import BulletinRow
from server.web.targets import acting_units

_NEEDED = {
    Act.EDIT: Action.SCHEDULE,
    Act.SUBMIT: Action.SCHEDULE,
    Act.APPROVE: Action.APPROVE,
    Act.RETURN: Action.APPROVE,
    Act.WITHDRAW: Action.SCHEDULE,
}


def senders(person: Actor, tree: Tree) -> list[Unit]:
    """List the units in whose name somebody may send bulletins to communes under them."""
    return [
        unit
        for unit in acting_units(person, Action.SCHEDULE, tree)
        if stations(tree, unit.unit_id, [unit.unit_id])
    ]


def own_stations(person: Actor, tree: Tree) -> list[Unit]:
    """List the communes in whose name somebody answers."""
    return [
        unit
        for unit in acting_units(person, Action.SCHEDULE, tree)
        if tree.own_clusters(unit.unit_id)
    ]


def may_do(row: BulletinRow, person: Actor, tree: Tree) -> set[str]:
    """Tell what somebody is offered: what the state allows and what they may do there."""
    chain = tree.chain(row.unit_id)
    emergency = row.bulletin_class == "emergency"
    needed = {
        **_NEEDED,
        Act.SEND: Action.ANNOUNCE_EMERGENCY if emergency else Action.SCHEDULE,
    }
    return {
        act.value for act in allowed(life_of(row), person.name) if may(person, needed[act], chain)
    }


def addressees(row: BulletinRow, tree: Tree) -> list[str]:
    """Name the units it is addressed to; of those that are no more, the id is left."""
    units = row.addressed["units"]
    return [tree.units[unit].name if unit in tree.units else unit for unit in units]
