"""The desk at the API and on its pages: rows, changes, copies, the list and the question why."""

from datetime import date, timedelta

from server.domain.recurrence import day_bounds
from tests.factories.pages import CLUSTERS, COMMUNE, OTHER, form_token
from tests.factories.units import PROVINCE

DAY = [date.today() + timedelta(days=ahead) for ahead in range(2, 12)]  # noqa: DTZ011 - any later days will do
WEEK = f"from={DAY[0]}&until={DAY[7]}"


def saved(program, digest, **changed: object):
    slot = {
        "unit_id": COMMUNE,
        "title": "Bản tin sáng",
        "assets": [digest],
        "recurrence": "daily",
        "local_start": "05:30",
        "first_day": DAY[0].isoformat(),
        "units": [COMMUNE],
        **changed,
    }
    answer = program.ask("POST", "/slots", json=slot)
    assert answer.status_code == 201, answer.text
    return answer.json


def move(slot, **changed: object):
    boring = {
        "slot_id": slot["slot_id"],
        "version": slot["version"],
        "day": DAY[1].isoformat(),
        "to_day": DAY[1].isoformat(),
        "start_s": 9 * 3600,
        "length_s": 60,
        "scope": "day",
    }
    return {**boring, **changed}


def test_a_program_sees_moves_and_takes_back(site):
    program = site.program("commune-officer")
    slot = saved(program, site.digest)
    shown = program.ask("GET", f"/desk?{WEEK}&units={COMMUNE}").json
    assert [(one["start_s"], one["days"]) for one in shown["slots"]] == [(19_800, [*range(7)])]
    assert shown["units"][0]["may_change"]
    said = program.ask("POST", "/desk/moves", json=move(slot))
    assert (said.status_code, said.json["kind"], said.json["undoable"]) == (200, "move", True)
    assert said.json["sentence"] == "“Bản tin sáng” đã có giờ mới."
    stale = program.ask("POST", "/desk/moves", json=move(slot))
    assert (stale.status_code, stale.json["code"]) == (409, "changed-meanwhile")
    assert program.ask("POST", "/desk/undo").json["undoable"] is False
    assert program.ask("POST", "/desk/redo").status_code == 200
    assert program.ask("POST", "/desk/undo").status_code == 200
    nothing = program.ask("POST", "/desk/undo")
    assert (nothing.status_code, nothing.json["findings"][0]["code"]) == (422, "nothing-to-undo")
    version = program.ask("GET", f"/slots?unit_id={COMMUNE}").json["slots"][0]["version"]
    gone = move(slot, version=version, scope="all")
    wanted = {name: gone[name] for name in ("slot_id", "version", "day", "scope")}
    assert program.ask("POST", "/desk/withdrawals", json=wanted).status_code == 200
    assert program.ask("GET", f"/desk?{WEEK}&units={COMMUNE}").json["slots"] == []


def test_what_is_refused_says_why_and_changes_nothing(site):
    program = site.program("commune-officer")
    slot = saved(program, site.digest)
    saved(program, site.digest, local_start="09:00", title="Nông vụ")
    clash = program.ask("POST", "/desk/moves", json=move(slot))
    assert clash.status_code == 409
    assert "Nông vụ" in clash.json["detail"]
    assert f"{DAY[1]:%d/%m/%Y}" in clash.json["detail"]
    (offer,) = clash.json["offers"]
    assert (offer["kind"], set(offer["changes"])) == ("next-gap", {"start_s"})
    assert program.ask("POST", "/desk/moves", json=move(slot) | offer["changes"]).json["undoable"]
    assert program.ask("POST", "/desk/undo").status_code == 200
    for wrong in ({"start_s": 86_400}, {"length_s": 0}, {"scope": "some"}, {"day": "9999-12-31"}):
        assert program.ask("POST", "/desk/moves", json=move(slot, **wrong)).status_code == 422
    viewer = site.program("viewer")
    assert viewer.ask("POST", "/desk/moves", json=move(slot)).status_code == 403
    assert viewer.ask("GET", f"/desk?{WEEK}&units={OTHER}").status_code == 403
    assert viewer.ask("GET", f"/desk?{WEEK}&units=nowhere").status_code == 404
    assert (
        viewer.ask("GET", f"/desk?from={DAY[0]}&until={DAY[9]}&units={COMMUNE}").status_code == 422
    )


def test_a_copy_is_shown_before_it_is_made(site):
    program = site.program("commune-officer")
    saved(program, site.digest, recurrence="once")
    wish = {
        "unit_id": COMMUNE,
        "first": DAY[0].isoformat(),
        "to_days": [DAY[1].isoformat(), DAY[2].isoformat()],
    }
    shown = program.ask("POST", "/desk/copies", json=wish).json
    assert (shown["made"], shown["free"], len(shown["lines"])) == (0, 2, 2)
    made = program.ask("POST", "/desk/copies", json={**wish, "dry_run": False})
    assert (made.status_code, made.json["made"]) == (200, 2)
    again = program.ask("POST", "/desk/copies", json={**wish, "dry_run": False})
    assert again.status_code == 409
    twice = {
        **wish,
        "dry_run": False,
        "only_free": True,
        "to_days": [DAY[2].isoformat(), DAY[3].isoformat()],
    }
    assert program.ask("POST", "/desk/copies", json=twice).json["made"] == 1


def test_a_program_asks_why(site):
    program = site.program("commune-officer")
    slot = saved(program, site.digest)
    saved(
        site.program("top"),
        site.digest,
        unit_id=PROVINCE,
        units=[PROVINCE],
        bulletin_class="priority",
    )
    at = (day_bounds(DAY[1])[0] + timedelta(hours=5, minutes=30)).isoformat().replace("+", "%2B")
    said = program.ask("GET", f"/clusters/{CLUSTERS[0]}/why?at={at}").json
    assert said["heard_title"] == "Bản tin sáng"
    assert [one["why"] for one in said["losers"]] == ["class"]
    assert slot["slot_id"] in said["losers"][0]["claim_id"]
    assert said["losers"][0]["sentence"].startswith("Nội dung kia thuộc loại cao hơn")
    rows = program.ask("GET", f"/desk/clusters?{WEEK}&unit_id={COMMUNE}").json["clusters"]
    assert [row["cluster_id"] for row in rows] == list(CLUSTERS)
    assert len(rows[0]["spans"]) == 7


def test_the_pages_work_without_any_script(site):
    saved(site.program("top"), site.digest)
    top = site.browser("top")
    day = DAY[0].isoformat()
    assert top.get("/desk?span=year&day=hôm-nay&open=nowhere").status_code == 200
    closed = top.get(f"/desk?day={day}&view=list").text
    assert "Bản tin sáng" not in closed
    opened = top.get(f"/desk?day={day}&view=list&open={PROVINCE}").text
    assert opened.count("Bản tin sáng") == 1
    week = top.get(f"/desk?day={day}&span=week&view=list&unit={COMMUNE}").text
    assert week.count("Bản tin sáng") == 7 - DAY[0].weekday()
    timeline = top.get(f"/units/{COMMUNE}/timeline?day={day}").text
    assert f"/why?unit={COMMUNE}" in timeline
    asked = top.get(f"/why?unit={COMMUNE}&day={DAY[0]:%d/%m/%Y}&time=05:30", follow_redirects=True)
    assert "Phát vào lúc này" in asked.text
    assert top.get("/why?unit=nowhere").status_code == 404


def test_a_copy_is_made_and_taken_back_on_the_pages(site):
    officer = site.browser("commune-officer")
    saved(site.program("commune-officer"), site.digest, recurrence="once")
    assert officer.get("/desk/copy").status_code == 200
    fields = {
        "unit": COMMUNE,
        "span": "day",
        "day": f"{DAY[0]:%d/%m/%Y}",
        "to_day": DAY[1].isoformat(),
    }
    page = officer.get("/desk/copy", query_string=fields).text
    assert "Sẽ tạo 1 khung giờ" in page
    token = form_token(page)
    made = officer.post("/desk/copy", data={**fields, "csrf_token": token})
    assert made.status_code == 303
    assert "Đã sao chép 1 khung giờ." in officer.get(made.location).text
    clash = officer.post("/desk/copy", data={**fields, "csrf_token": token})
    assert clash.status_code == 409
    back = f"/desk?day={DAY[1].isoformat()}"
    undone = officer.post("/desk/undo", data={"csrf_token": token, "back": back})
    assert (undone.status_code, undone.location) == (303, back)
    nothing = officer.post("/desk/undo", data={"csrf_token": token})
    assert nothing.status_code == 409
    assert "nào để hoàn tác." in nothing.text
    away = officer.post("/desk/redo", data={"csrf_token": token, "back": "//evil.example/desk?"})
    assert away.location == "/desk"
    assert officer.post("/desk/copy", data={"csrf_token": token}).status_code == 422


def test_a_copy_goes_to_any_day_of_the_year_that_somebody_types(site):
    officer = site.browser("commune-officer")
    saved(site.program("commune-officer"), site.digest, recurrence="once")
    far = [DAY[0] + timedelta(days=ahead) for ahead in (200, 364)]
    fields = {"unit": COMMUNE, "span": "day", "day": f"{DAY[0]:%d/%m/%Y}"}
    typed = ", ".join(f"{day:%d/%m/%Y}" for day in far)
    page = officer.get("/desk/copy", query_string={**fields, "others": typed}).text
    assert "Sẽ tạo 2 khung giờ" in page
    assert all(f'name="to_day" value="{day.isoformat()}"' in page for day in far)
    wrong = officer.get("/desk/copy", query_string={**fields, "others": "32/13/2027"}).text
    assert "ngày/tháng/năm, ví dụ" in wrong
    assert 'value="32/13/2027"' in wrong


def test_whoever_may_only_look_is_offered_no_change(site):
    page = site.browser("viewer").get("/desk").text
    assert "/desk/undo" not in page
    assert "/desk/copy" not in page
