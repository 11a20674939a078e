"""The table of the country's units: whole, and of one piece with what was before."""

import pytest

from protocol.ids import checked_id
from server.domain.errors import UnknownThingError
from server.services.country import country


def test_there_are_34_provinces_and_3321_communes():
    """Resolutions 202/2025/QH15 and 1654 to 1687/NQ-UBTVQH15: the two levels since 1 July 2025."""
    found = country()
    kinds = [one.name.split()[0] for one in found.communes.values()]
    assert (len(found.provinces), len(found.communes)) == (34, 3_321)
    assert (kinds.count("Xã"), kinds.count("Phường"), kinds.count("Đặc")) == (2_621, 687, 13)


def test_every_former_commune_is_known_by_what_it_became():
    found = country()
    assert (len(found.districts), len(found.former)) == (696, 10_040)
    assert sum(len(one.became) > 1 for one in found.former) == 471
    became = [code for one in found.former for code in one.became]
    assert set(became) == set(found.communes)
    assert {one.district for one in found.former} == set(found.districts)


def test_every_place_lies_in_the_country_and_within_reach_of_its_province():
    found = country()
    for place in (*found.provinces.values(), *found.communes.values()):
        assert 8 < place.latitude < 23.5, place
        assert 102 < place.longitude < 115, place
    assert {one.province for one in found.communes.values()} == set(found.provinces)


def test_ids_are_made_of_codes_and_no_two_are_equal():
    found = country()
    places = [*found.provinces.values(), *found.communes.values()]
    ids = {checked_id(place.unit_id) for place in places}
    assert len(ids) == len(places)
    assert found.province("08").unit_id == "vn-08"
    assert found.communes["00928"].unit_id == "vn-08-00928"


@pytest.mark.parametrize("said", ["Tuyên Quang", "tuyen quang", "TỈNH  TUYÊN QUANG", "8", "08"])
def test_a_province_is_found_by_code_and_by_name_in_any_spelling(said: str):
    found = country()
    assert found.province(said).name == "Tỉnh Tuyên Quang"
    assert len(found.communes_of(found.province(said))) == 124


@pytest.mark.parametrize("said", ["", "tinh", "Hà Giang", "99", "00928"])
def test_what_is_no_province_today_is_not_found(said: str):
    with pytest.raises(UnknownThingError):
        country().province(said)


def test_each_name_finds_its_own_province():
    found = country()
    for place in found.provinces.values():
        assert found.province(place.name) == place
        assert found.province(place.code) == place


def test_a_commune_comes_from_the_district_that_gave_most_of_it():
    found = country()
    vi_xuyen = found.district_of("00928")
    assert vi_xuyen is not None
    assert vi_xuyen.name == "Huyện Vị Xuyên"
    assert vi_xuyen.group_id(found.province("08")) == "vn-08-d030"
    assert all(found.district_of(code) is not None for code in found.communes)
    kept = [one for province in found.provinces.values() for one in found.districts_of(province)]
    assert len(kept) == len(set(kept)) == 696
