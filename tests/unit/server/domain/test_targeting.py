"""The tree, what people pick from it, and the narrowest words for it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.errors import UnknownThingError
from server.domain.targeting import chosen, cover
from tests.factories.units import a_small_tree, a_tree, trees


@st.composite
def choices(draw):
    """Draw a tree, a unit in it, and some of the clusters under that unit."""
    tree = draw(trees())
    top = draw(st.sampled_from(sorted(tree.units)))
    under = sorted(tree.clusters_under(top))
    meant = draw(st.sets(st.sampled_from(under))) if under else set()
    if draw(st.booleans()):  # whole subtrees are what people pick most
        meant |= tree.clusters_under(draw(st.sampled_from(sorted(tree.subtree(top)))))
    return tree, top, frozenset(meant)


@given(choices())
def test_the_words_mean_just_the_clusters_that_were_meant(choice):
    tree, top, meant = choice
    words = cover(tree, top, meant)
    assert chosen(tree, units=words.units, clusters=words.clusters) == meant


@given(choices())
def test_every_meant_cluster_hears_a_topic_and_no_topic_is_for_nobody(choice):
    tree, top, meant = choice
    topics = set(cover(tree, top, meant).topics)
    for cluster in meant:
        assert topics & set(tree.chain_of_cluster(cluster))
    for topic in topics:
        assert tree.clusters_under(topic) & meant


@given(choices())
def test_no_narrower_topic_would_do(choice):
    tree, top, meant = choice
    words = cover(tree, top, meant)
    for topic in words.topics:
        here = meant & tree.clusters_under(topic)
        named_below = {other for other in words.topics if other in tree.subtree(topic)} - {topic}
        left = here - {c for other in named_below for c in tree.clusters_under(other)}
        assert left, "the topics below it reach all that it reaches"
        for child in tree.children(topic):
            assert not left <= tree.clusters_under(child)


@given(choices())
def test_a_unit_is_named_instead_of_its_clusters_whenever_all_of_them_are_meant(choice):
    tree, top, meant = choice
    words = cover(tree, top, meant)
    for unit in tree.subtree(top):
        under = tree.clusters_under(unit)
        if under and under <= meant:
            assert not under & set(words.clusters)


@given(trees())
def test_the_clusters_under_a_unit_are_those_whose_chain_holds_it(tree):
    for unit in tree.units:
        slow = {cluster for cluster in tree.clusters if unit in tree.chain_of_cluster(cluster)}
        assert tree.clusters_under(unit) == slow


@given(trees())
def test_a_chain_leads_from_the_root_to_the_unit_step_by_step(tree):
    for unit in tree.units:
        chain = tree.chain(unit)
        assert chain[0] in tree.roots
        assert chain[-1] == unit
        for upper, lower in pairwise(chain):
            assert lower in tree.children(upper)


def test_what_is_left_out_is_left_out_even_when_picked_by_name():
    tree = a_small_tree()
    picked = chosen(tree, units=("xa-1",), clusters=("c-2",), exclude=("c-2", "c-11"))
    assert picked == {"c-1", "c-12"}


@pytest.mark.parametrize("pick", [{"units": ["xa-9"]}, {"clusters": ["c-9"]}])
def test_what_does_not_exist_cannot_be_picked(pick):
    with pytest.raises(UnknownThingError):
        chosen(a_small_tree(), **pick)


def test_a_province_whose_only_loudspeakers_stand_in_one_commune_is_told_by_that_commune():
    tree = a_tree({"tinh": None, "xa-1": "tinh", "xa-2": "tinh"}, {"c-1": "xa-1"})
    assert cover(tree, "tinh", frozenset({"c-1"})).topics == ("xa-1",)
