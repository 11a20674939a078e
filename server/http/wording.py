"""What each code is called in sentences for people; catalogues translate them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from flask_babel import format_decimal

from server.domain.errors import Finding
from server.domain.offers import Offer, OfferKind, clock, second
from server.domain.week import DAY_S
from server.http.languages import gettext


def N_(sentence: str) -> str:  # noqa: N802 - the name that extractors of catalogues know
    """Mark a sentence for the catalogue without translating it yet."""
    return sentence


ALERT_RESULTS: Mapping[str, str] = MappingProxyType(
    {
        "sent": N_("sent"),
        "failed": N_("the service did not take it"),
        "timed-out": N_("the service did not answer in time"),
        "bad-address": N_("the address cannot be used"),
        "private-address": N_("the address lies inside a network that is not allowed"),
        "interrupted": N_("the sending was interrupted"),
    }
)
"""What became of a try to tell somebody that clusters do not answer."""

FINDINGS: Mapping[str, str] = MappingProxyType(
    {
        "overlap": N_(
            "It overlaps “%(title)s” of %(unit)s, %(start)s–%(end)s, on %(days)s "
            "(%(day_count)s days in all), at %(clusters)s clusters: %(cluster_names)s."
        ),
        "time-taken": N_("Somebody else has taken this time at the same moment. Look again."),
        "wider-clashes": N_(
            "These slots would come to reach loudspeakers where others have their time: %(slots)s."
        ),
        "wider-quiet": N_(
            "At loudspeakers that these slots would come to reach it is quiet then (%(hours)s): "
            "%(slots)s."
        ),
        "more-overlaps": N_("It overlaps %(count)s more slots."),
        "many-overlaps": N_(
            "It overlaps %(count)s more slots. With so many, no ways out are looked for: "
            "choose other hours or fewer loudspeakers."
        ),
        "outside-frame": N_(
            "%(start)s–%(end)s on %(day)s lies outside the hours given to this unit: %(frames)s."
        ),
        "session-too-long": N_(
            "It lasts %(length)s (hours:minutes:seconds); "
            "in these hours one programme may last %(limit)s at most."
        ),
        "frame-outside": N_(
            "%(weekday)s %(start)s–%(end)s is not left open by the units above. Open: %(left)s."
        ),
        "frame-overlap": N_(
            "%(weekday)s %(start)s–%(end)s lies in other hours that this unit has laid down. "
            "Withdraw those first."
        ),
        "frame-louder": N_("A unit above allows no more than %(limit)s dB in these hours."),
        "frame-longer": N_(
            "A unit above allows at most %(limit)s minutes for one programme in these hours."
        ),
        "frame-owner": N_("Hours can be given only to this unit or to units and levels under it."),
        "frame-other-unit": N_(
            "Hours stay with the unit that laid them down. Withdraw them and lay them down there."
        ),
        "quiet-is-nobodys": N_("Quiet hours have no owner, no length and no volume."),
        "bad-frame-kind": N_("Choose hours for programmes or quiet hours."),
        "bad-frame-time": N_("Hours begin and end at whole minutes."),
        "bad-session-limit": N_("Write the longest programme as minutes from 1 to 1440."),
        "bad-ceiling": N_("Write the volume in dB from -60 to 0."),
        "bad-legal-reference": N_(
            "Write the legal reference on one line of at most %(longest)s characters."
        ),
        "slots-left-outside": N_(
            "%(count)s slots would lie outside the hours open to them: %(slots)s. "
            "They stay in the plans until they are withdrawn, but are silent in quiet hours."
        ),
        "quiet-hours": N_(
            "%(start)s–%(end)s on %(day)s lies in quiet hours; only an emergency may sound then."
        ),
        "already-spoken": N_("Somebody speaks, or has spoken, to this broadcast already."),
        "audio-unused": N_("Somebody speaks live: there is no sound file then."),
        "bad-ticket": N_("The page with the microphone is not ours. Open it anew."),
        "ticket-expired": N_("The page with the microphone is too old. Open it anew."),
        "no-audio": N_("There is no sound yet: choose a prepared one, upload a file or record."),
        "unknown-slot": N_("This warning has no place for “%(slot)s”."),
        "bad-slot-value": N_("Write “%(slot)s” on one line of at most %(longest)s characters."),
        "not-recorded": N_("This warning was not recorded in the language “%(language)s”."),
        "not-a-recorded-language": N_(
            "“%(language)s” is no language that a warning is recorded in."
        ),
        "no-words": N_("Write what is to be said."),
        "text-too-long": N_("It may have at most %(longest)s characters."),
        "changed-meanwhile": N_("Somebody else has changed it meanwhile. Look at it again."),
        "no-length": N_("Say how long it lasts."),
        "bad-length": N_("It may last from one second to 24 hours."),
        "too-many-items": N_("A list holds %(most)s files at most."),
        "bad-content-kind": N_("Choose what is heard: files, a radio station, or live speech."),
        "bad-relay": N_(
            "Write the address of the radio station’s stream; it begins with http:// or https://. "
            "A relay has no files."
        ),
        "relay-unused": N_("Only a relay has the address of a radio station."),
        "bad-start-mode": N_("Choose how it begins while something else is being heard."),
        "bad-wait": N_("It may wait an hour at most."),
        "bad-language": N_("“%(language)s” is no language that is known here."),
        "too-many-excluded": N_("No more than %(most)s days can be left out."),
        "other-unit": N_("A slot stays with its unit. Withdraw it and add it there."),
        "unknown-asset": N_("This sound is no longer kept here; choose another."),
        "no-target": N_("No loudspeakers are chosen."),
        "out-of-scope": N_("Some of the chosen loudspeakers are outside your area."),
        "past": N_("That time has already passed."),
        "bad-weekdays": N_("Choose at least one day of the week."),
        "days-reversed": N_("The last day is before the first day."),
        "bad-recurrence": N_("Choose how often it comes back."),
        "bad-title": N_("Give it a title of at most 200 characters."),
        "not-allowed-class": N_("Your account may not use this class of bulletin."),
        "decision-number-needed": N_(
            "An emergency needs the number of the committee’s decision that it rests on."
        ),
        "own-bulletin": N_(
            "Whoever has written at a bulletin cannot approve it: somebody else has to."
        ),
        "not-in-state": N_(
            "This cannot be done any more with this bulletin: its state has changed."
        ),
        "edited-meanwhile": N_(
            "Somebody else has changed the bulletin meanwhile. "
            "Look at it as it is now, and decide anew."
        ),
        "no-commune": N_("Choose at least one commune with loudspeakers."),
        "deadline-needed": N_("Write until when the communes may answer."),
        "deadline-past": N_("The deadline is over."),
        "bad-deadline": N_(
            "Write the deadline as a day and a time, for example 02/09/2026 and 17:00."
        ),
        "bad-text": N_("The text is too long, or has signs that cannot be kept."),
        "bad-severity": N_("Choose how grave it is."),
        "reason-needed": N_("Write the reason."),
        "bad-mode": N_("It is either meant or rehearsed."),
        "drill-label-missing": N_(
            "A drill says what it is, and this machine cannot speak that: no speech engine answers."
        ),
        "bad-relation": N_("What follows an announcement is its all-clear or its correction."),
        "follows-unknown": N_("The announcement that this one follows is not there."),
        "follows-other-unit": N_("Only the unit that announced it ends or corrects it."),
        "follows-too-early": N_("It still sounds: stop it first."),
        "follows-other-mode": N_(
            "What follows a drill is a drill, and what follows the real thing is real."
        ),
        "follows-higher-class": N_("What follows an announcement is of no higher class than it."),
        "second-factor-needed": N_(
            "Such an emergency asks for your second factor: the code of your app, or a recovery "
            "code. Somebody else may confirm it instead."
        ),
        "wrong-code": N_("This code is not right, or was used before. Type the one shown now."),
        "too-many-codes": N_(
            "Too many wrong tries. Try again in %(count)s minutes, or have somebody else confirm."
        ),
        "too-many-passwords": N_("Too many wrong passwords. Try again in %(count)s minutes."),
        "too-many-announcements": N_(
            "You have sent %(most)s announcements within a minute. Wait a minute, then send again."
        ),
        "too-much-speech": N_(
            "More than %(most)s texts were spoken for you within a minute. "
            "Wait %(count)s seconds, or record it."
        ),
        "factor-not-begun": N_("Begin anew: there is nothing to confirm."),
        "wrong-own-password": N_("Your password is not right."),
        "prove-first": N_("Type a code of your second factor first, or a recovery code."),
        "second-person-needed": N_(
            "An announcement that reaches so far at this hour needs a second person to confirm it."
        ),
        "own-confirmation": N_(
            "Whoever has asked for an announcement cannot confirm it: somebody else has to."
        ),
        "waiting-confirmed": N_("It has been confirmed already."),
        "waiting-refused": N_("It has been refused already."),
        "waiting-withdrawn": N_("Whoever asked for it has withdrawn it."),
        "waiting-lapsed": N_(
            "Nobody confirmed it within a quarter of an hour: it will not be heard. "
            "Ask for it anew."
        ),
        "author-may-not": N_("Whoever asked for it may not announce here any more."),
        "other-may-not": N_("That account may not announce to these loudspeakers."),
        "wrong-password": N_("The user name or the password is not right."),
        "bad-rule-number": N_("Write whole numbers in the rule."),
        "too-many-lines": N_("A rule has %(most)s lines at most."),
        "bad-level": N_("Choose a level of government that there is."),
        "bad-hours": N_("Write the hours as whole hours from 0 to 23."),
        "bad-cluster-count": N_("Write the number of clusters as a whole number."),
        "bad-persons": N_("It takes one person or two."),
        "hush-looser": N_(
            "The loudspeakers are silent in emergencies too. One person cannot take that back: "
            "lift the silence, which takes two."
        ),
        "lift-asked": N_("%(person)s has asked to lift it already: approve that, or wait."),
        "bad-deed": N_("There is no such order."),
        "bad-volume": N_("The volume is a number of dB from -60 to 0, where 0 is the loudest."),
        "bad-delay": N_("The delay is a whole number of ms from 0 to %(most)s."),
        "bad-talk": N_("The talk key may be used never, once the network is away, or always."),
        "bad-away": N_(
            "The network must be away for a whole number of minutes from %(least)s to %(most)s."
        ),
        "bad-talk-length": N_(
            "What is spoken lasts a whole number of seconds from %(least)s to %(most)s."
        ),
        "bad-data-plan": N_(
            "The data of a month is an amount from %(least)s to %(most)s, such as 4 GB or 500 MB, "
            "and it starts anew on a day from 1 to 31."
        ),
        "bad-reach": N_("The reach is a whole number of metres from %(least)s to %(most)s."),
        "no-equipment": N_("There is no equipment at this cluster yet."),
        "no-chime": N_("There is no opening chime for this unit, which the quiet test sounds."),
        "test-not-spoken": N_("The test could not be spoken on this server."),
        "too-many-orders": N_(
            "This cluster was given %(most)s orders within a minute; people live beside it. "
            "Wait %(count)s seconds."
        ),
        "lift-not-asked": N_(
            "Nobody has asked to lift it in the last quarter of an hour. Ask first; somebody else "
            "approves."
        ),
        "own-lift": N_("Whoever asks to lift a silence cannot approve it: somebody else has to."),
        "bad-limit": N_("Write whole seconds from %(least)s to %(most)s."),
        "step-twice": N_("Two steps come at the same time."),
        "too-many-steps": N_("A rule has %(most)s steps at most."),
        "bad-step-time": N_("Step %(step)s: write whole seconds from %(least)s to %(most)s."),
        "bad-step-contacts": N_("Step %(step)s: choose from one to %(most)s people."),
        "unknown-contact": N_("Somebody who is named here is no longer to be had."),
        "bad-phone": N_("Write a telephone number of digits, at most 32 characters."),
        "account-may-not": N_("“%(login)s” may not announce here, and so cannot confirm either."),
        "bad-channel-address": N_(
            "This address cannot be used. It begins with one of: %(schemes)s, followed by “://”."
        ),
        "too-many-channels": N_("One person has %(most)s channels at most."),
        "tested-just-now": N_("“%(channel)s” was tested a moment ago. Wait a little."),
        "bad-class": N_("There is no such class of bulletin."),
        "not-to-answer": N_("Only ordinary bulletins are taken or declined."),
        "answered-already": N_("It has been answered already, by %(person)s."),
        "airing-endless": N_("Write the last day, at most %(most)s days after the first."),
        "bad-order": N_("This is not the list that was to be put in order."),
        "order-changed": N_(
            "Somebody else has changed the order meanwhile. It is shown as it is now."
        ),
        "never": N_("It would never come: no day fits."),
        "bad-month-day": N_("Choose a day of the month, or one of its weekdays."),
        "bad-lunar-day": N_("Choose a lunar day from 1 to 30, and a lunar month from 1 to 12."),
        "bad-holidays": N_("Choose what public holidays mean to it."),
        "pattern-unused": N_("This way of coming back takes no pattern."),
        "rrule-missing": N_(
            "Write a rule that begins with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, "
            "for example FREQ=MONTHLY;BYDAY=1MO."
        ),
        "rrule-too-often": N_(
            "A slot comes at most once a day: FREQ=%(frequency)s cannot be used. "
            "Choose FREQ=DAILY or longer."
        ),
        "rrule-clock": N_(
            "The time of day is written in its own field: leave %(part)s out of the rule."
        ),
        "rrule-part": N_("%(part)s means nothing in a rule with FREQ=%(frequency)s."),
        "rrule-number": N_("The numbers of %(part)s do not fit: at most %(most)s."),
        "rrule-two-ends": N_("A rule ends by COUNT or by UNTIL, not by both."),
        "rrule-other-time": N_(
            "%(value)s names another time of day than this slot’s, %(at)s. "
            "Write the day alone, for example 20270430."
        ),
        "rrule-unreadable": N_("This part of the rule cannot be used: %(part)s"),
        "rrule-long": N_("The rule is too long."),
        "not-that-day": N_("It does not come on %(day)s any more. Look at the page anew."),
        "days-stay": N_(
            "Its days cannot be moved together. Move this one day alone, or change its days "
            "in its own form."
        ),
        "counted-from-first": N_(
            "Its rule counts how often it comes (COUNT). Move one day alone, or all of them."
        ),
        "nothing-to-undo": N_("There is nothing of yours to take back."),
        "nothing-to-redo": N_("There is nothing to do again."),
        "desk-too-wide": N_("Choose at most %(days)s days, and fewer units."),
        "nothing-to-copy": N_("There is nothing to copy on these days."),
        "copy-nowhere": N_(
            "No loudspeakers of %(unit)s correspond to those of this slot: it is not copied there."
        ),
        "too-many-copies": N_("More than %(most)s copies at once are too many. Choose fewer."),
        "copy-incomplete": N_("Choose a unit and at least one day to copy to."),
        "bad-request-id": N_("The form has lost its number. Open it anew and send it again."),
        "bad-decision-number": N_("Write the decision’s number on one line."),
        "bad-when-cut": N_("Choose what happens when it is interrupted."),
        "bad-gain": N_("Write the volume in dB from -60 to 0."),
        "bad-time": N_("Write the time as hours and minutes, for example 05:30."),
        "bad-day": N_("Write days as day/month/year, for example 02/09/2026."),
        "bad-field": N_("“%(field)s” is missing, or cannot be used like this."),
        "unknown-unit": N_(
            "There is no unit “%(ref)s” today: it is not known, has ended, or comes later."
        ),
        "unknown-cluster": N_("There is no loudspeaker cluster “%(ref)s” today."),
        "unknown-group": N_("There is no group “%(ref)s”."),
        "unknown-target": N_("None of this is here today, or no more: %(targets)s."),
        "bad-id": N_("“%(id)s” cannot be an id: small letters, digits and hyphens, 64 at most."),
        "bad-name": N_("Write a name on one line of at most 200 characters."),
        "group-taken": N_("There is a group of the id “%(id)s” already."),
        "group-changed": N_(
            "Somebody else has changed the group “%(name)s” meanwhile. "
            "Open it again and look at what is there now."
        ),
        "group-in-use": N_(
            "%(count)s slots target this group: %(slots)s. Give them other loudspeakers first."
        ),
        "unit-ends": N_(
            "%(unit)s ends on %(day)s by a reform. Add it from that day on, to the unit that "
            "takes over."
        ),
        "reform-past": N_("A reform takes effect today or later: %(day)s has passed."),
        "reform-nothing": N_("Nothing would change yet. Add new units, or units that change."),
        "reform-unknown-unit": N_("There is no unit “%(unit)s” on that day under this one."),
        "reform-id-taken": N_(
            "The id “%(id)s” is or was another unit’s. Ids are never used again."
        ),
        "reform-unknown-level": N_("There is no level of government %(level)s."),
        "reform-bad-parent": N_(
            "%(unit)s cannot stand under “%(parent)s”: there is no such unit here from that day on."
        ),
        "reform-level": N_("%(unit)s must stand under a unit of a higher level."),
        "reform-circle": N_("%(unit)s would stand under itself."),
        "reform-bad-point": N_(
            "Write latitude and longitude of %(unit)s in degrees, for example 22.68 and 104.98, "
            "or leave both empty."
        ),
        "reform-unit-twice": N_("%(unit)s is there twice."),
        "reform-young": N_("%(unit)s comes to be on this very day and cannot end on it."),
        "reform-later": N_(
            "%(unit)s changes on %(day)s already, by another reform. "
            "Choose that day or a later one."
        ),
        "reform-bad-target": N_(
            "%(unit)s cannot pass anything to “%(target)s”: there is no such unit here from that "
            "day on."
        ),
        "reform-one-target": N_("Choose the one unit to which all of %(unit)s goes."),
        "reform-no-target": N_("Choose where the clusters of %(unit)s go."),
        "reform-no-point": N_(
            "%(target)s has no coordinates, so nothing of %(unit)s can be told to be nearest to it."
        ),
        "reform-village": N_("There are no clusters in “%(village)s” of %(unit)s."),
        "reform-village-twice": N_("The village “%(village)s” of %(unit)s is there twice."),
        "reform-cluster-twice": N_("The cluster “%(cluster)s” is given to two units."),
        "reform-unknown-cluster": N_("There is no cluster “%(cluster)s” here on that day."),
        "reform-child-left": N_(
            "%(unit)s ends, and nobody takes over what is under it: %(units)s."
        ),
        "reform-left": N_("%(count)s clusters would be left without a unit: %(clusters)s."),
        "reform-tie": N_(
            "%(count)s clusters are equally near to two units. Place them by hand: %(clusters)s."
        ),
        "reform-no-coordinates": N_(
            "%(count)s clusters have no coordinates. Place them by hand: %(clusters)s."
        ),
        "reform-collision": N_(
            "“%(title)s” of %(unit)s (%(start)s) would pass into the time of “%(other)s” of "
            "%(other_unit)s at %(count)s clusters. End one of them, or change its hours first."
        ),
        "reform-no-root-key": N_(
            "New units need signing keys, and the root key is not on this machine."
        ),
        "reform-edited": N_(
            "Somebody else has changed this draft meanwhile. This is how it stands now."
        ),
        "reform-approved": N_("This reform is approved already and cannot be changed."),
        "reform-began": N_("Its day has come: it cannot be taken back any more."),
        "reform-built-upon": N_(
            "The reform “%(title)s” changes what this one does. Take that one back first."
        ),
        "reform-stale": N_(
            "It would do something else by now than what you have seen: %(count)s %(kind)s have "
            "changed (%(refs)s). Look at it again."
        ),
        "preview-reversed": N_("Choose an end that comes after the beginning."),
        "preview-too-long": N_("At most two hours can be listened to at once."),
        "too-many-days": N_("Choose at most %(most)s days at once."),
        "too-many-rows": N_(
            "This is more than %(most)s rows. Choose fewer days, or a smaller unit."
        ),
        "sheet-unreadable": N_("This is no spreadsheet that can be read: save it as XLSX or CSV."),
        "sheet-encoding": N_(
            "The letters of this file cannot be read: save it as “CSV UTF-8”, or as XLSX."
        ),
        "sheet-too-large": N_("The sheet is too large: 5 MB and 50,000 rows at most."),
        "sheet-empty": N_("There is nothing in the sheet."),
        "sheet-too-long": N_("The sheet has more than %(value)s rows. Send it in parts."),
        "sheet-more-unread": N_(
            "After %(count)s faults the checking stops: from row %(row)s on nothing was looked at."
        ),
        "more-rows": N_("and %(count)s more of this kind, in rows %(rows)s"),
        "sheet-no-column": N_("The column “%(column)s” is missing. Use the template’s headings."),
        "sheet-column-twice": N_("The column “%(column)s” is there twice."),
        "cell-empty": N_("Row %(row)s: “%(column)s” is empty."),
        "cell-too-long": N_("Row %(row)s: “%(column)s” is too long: “%(value)s”."),
        "cell-unreadable": N_(
            "Row %(row)s: “%(column)s” holds signs that cannot be shown: “%(value)s”."
        ),
        "cell-bad-id": N_(
            "Row %(row)s: “%(value)s” cannot be an id. "
            "Use small letters without marks, digits and hyphens, 64 at most."
        ),
        "cell-not-a-number": N_("Row %(row)s: “%(column)s” is no number that fits: “%(value)s”."),
        "cell-bad-data-plan": N_(
            "Row %(row)s: “%(value)s” is no amount of data for a month. "
            "Write it with its unit, for example 4 GB or 500 MB."
        ),
        "cell-unknown-language": N_(
            "Row %(row)s: “%(value)s” is no language that is known here. "
            "Write codes or names with commas between, for example vi, hmn, Tày."
        ),
        "row-unknown-commune": N_(
            "Row %(row)s: there is no commune of the code “%(value)s” here today."
        ),
        "row-not-yours": N_("Row %(row)s: your account may not enter clusters at “%(value)s”."),
        "row-half-a-place": N_("Row %(row)s: “%(column)s” is missing beside the other coordinate."),
        "row-far-away": N_(
            "Row %(row)s: %(value)s lies outside the province. "
            "Perhaps latitude and longitude are exchanged."
        ),
        "row-moved": N_(
            "Row %(row)s: the cluster “%(value)s” belongs to another commune, "
            "and cannot be moved here."
        ),
        "row-id-twice": N_("Row %(row)s: the id “%(value)s” was in an earlier row already."),
        "row-name-twice": N_(
            "Row %(row)s: “%(value)s” is already the name of another cluster of this village."
        ),
    }
)

_WEEKDAYS: Mapping[str, str] = MappingProxyType(
    {
        "0": N_("Monday"),
        "1": N_("Tuesday"),
        "2": N_("Wednesday"),
        "3": N_("Thursday"),
        "4": N_("Friday"),
        "5": N_("Saturday"),
        "6": N_("Sunday"),
    }
)

_EFFECTS: Mapping[str, str] = MappingProxyType(
    {
        "units": N_("units"),
        "clusters": N_("clusters"),
        "slots": N_("slots"),
        "reaches": N_("slots of other units"),
        "silenced": N_("programmes that fall silent"),
        "hours": N_("hours"),
        "people": N_("rights of people"),
        "groups": N_("groups"),
        "turns": N_("turns of loudspeakers"),
    }
)

UPLOADS: Mapping[str, str] = MappingProxyType(
    {
        "empty": N_("The file is empty."),
        "not_audio": N_("This file is not a sound recording."),
        "damaged": N_("The file is damaged and cannot be played to its end. Send it again."),
        "too_long": N_("The recording is longer than four hours."),
        "too_short": N_("The recording is too short to be heard."),
        "too_large": N_("The file is larger than 500 MB."),
        "unsupported": N_(
            "This kind of sound file is not accepted. "
            "Use MP3, WAV, FLAC, Ogg, Opus, M4A or a recording from the browser."
        ),
        "silent": N_("The recording is silent: nothing would be heard."),
        "timeout": N_("Preparing the sound took too long; the file may be damaged."),
    }
)

_OTHER_UPLOAD = N_("The file was refused.")

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "": "",
        "stopped": N_("Stopped by an operator"),
        "stopped-before-reached": N_("Stopped before the loudspeakers could be reached"),
        "not-reached": N_("The loudspeakers could not be reached"),
        "no-report": N_("No word came from the loudspeakers"),
        "late": N_("It came too late"),
        "audio-damaged": N_("The sound file was damaged"),
        "audio-missing": N_("The sound had not arrived at the loudspeakers in time"),
        "preempted": N_("Something that goes before it took the loudspeakers"),
        "waited-for": N_("It waited for what was sounding, until its own time was over"),
        "live-lost": N_("What was spoken did not arrive any more"),
        "live-broken-off": N_("The connection of the microphone broke"),
        "live-too-long": N_("The longest time for speaking was over"),
        "live-no-microphone": N_("The microphone gave no sound"),
        "released": N_("The talk key was let go before anything could be heard"),
        "talk-not-armed": N_("The talk key of the box was pressed, and may never be used"),
        "talk-network-here": N_(
            "The talk key of the box was pressed before the network had been away for long enough"
        ),
        "talk-too-often": N_("The talk key of the box was pressed too often"),
        "relay-no-answer": N_("The radio station did not answer"),
        "relay-refused": N_("The radio station refused to send"),
        "relay-forbidden": N_("The address is none that loudspeakers may take a relay from"),
        "relay-not-audio": N_("What the address sends is no sound that can be played"),
        "relay-lost": N_("The radio station broke off"),
        "quiet-hours": N_("It fell into quiet hours"),
        "hushed": N_("The loudspeakers were silent by order"),
        "silenced": N_("Somebody silenced the loudspeakers by the key of the box"),
        "node-off": N_("The equipment was switched off"),
        "clock-unknown": N_("The equipment did not know the time"),
        "withdrawn": N_("It was withdrawn from the plan"),
        "refused": N_("The equipment refused the order: %(why)s"),
    }
)

ALARMS: Mapping[str, str] = MappingProxyType(
    {
        "amplifier-fault": N_("The amplifier reports a fault"),
        "door": N_("The box is open"),
        "mains-lost": N_("No mains power"),
        "silenced": N_("Silenced by the key of the box"),
        "talk-key-stuck": N_("The talk key of the box is stuck"),
        "talk-microphone-lost": N_("The microphone of the talk key gives no sound"),
        "silent-horn": N_("The loudspeaker does not sound"),
        "too-quiet": N_("The loudspeaker is much too quiet"),
        "buzzing": N_("The loudspeaker buzzes"),
        "unordered-sound": N_("The loudspeaker sounds something that nobody ordered"),
        "microphone-lost": N_("Its microphone gives no sound"),
    }
)

REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "garbled": N_("it could not be read"),
        "too-large": N_("it was too large"),
        "unknown-kind": N_("its kind is unknown"),
        "unsigned": N_("it bore no signature"),
        "unknown-key": N_("it was signed with an unknown key"),
        "revoked-key": N_("it was signed with a revoked key"),
        "forged": N_("its signature was forged"),
        "not-yet-valid": N_("it was not valid yet; a clock may be wrong"),
        "expired": N_("it came too late"),
        "wrong-audience": N_("it was meant for others"),
        "out-of-scope": N_("its issuer has no say over these loudspeakers"),
        "class-not-allowed": N_("its issuer may not use this class"),
        "quiet-hours": N_("it fell into quiet hours"),
        "hushed": N_("the loudspeakers are silent by order"),
        "busy": N_("something is sounding that it may not cut"),
        "unable": N_("its disk takes nothing, and what it knows would be lost"),
        "replayed": N_("it had been seen before"),
        "stale-version": N_("a newer one is already there"),
        "no-config": N_("the equipment is not set up yet"),
        "untrusted-clock": N_("its clock cannot tell whether the order still holds"),
    }
)


OFFERS: Mapping[OfferKind, str] = MappingProxyType(
    {
        OfferKind.TRIM: N_("Shorten it: %(start)s–%(end)s"),
        OfferKind.NEXT_GAP: N_("Move it to the nearest free time: %(start)s–%(end)s"),
        OfferKind.EXCLUDE: N_("Leave out the days that clash: %(days)s"),
        OfferKind.OVERRIDE: N_("Sound in their stead: %(slots)s"),
    }
)
_MOST_LISTED = 6


def offer_sentence(offer: Offer) -> str:
    """Say what would be done, in the reader's language."""
    begins_s = second(offer.local_start)
    ends_s = begins_s + offer.length.total_seconds()
    fields = {
        "start": _hours(begins_s),
        "end": _hours(ends_s) if ends_s != DAY_S else "24:00",
        "days": _listed([f"{day:%d/%m/%Y}" for day in offer.days]),
        "slots": _listed(offer.names),
    }
    return gettext(OFFERS[offer.kind]) % fields


def _hours(at_s: float) -> str:
    at = clock(at_s % DAY_S)
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_LISTED]) + ("…" if len(names) > _MOST_LISTED else "")


def finding_sentence(finding: Finding) -> str:
    """Say what is wrong, in the reader's language."""
    sentence = FINDINGS.get(finding.code)
    if sentence is None:
        return finding.code
    fields = dict(finding.fields)
    if weekday := _WEEKDAYS.get(fields.get("weekday", "")):
        fields["weekday"] = gettext(weekday)
    if kind := _EFFECTS.get(fields.get("kind", "")):
        fields["kind"] = gettext(kind)
    if (count := fields.get("count", "")).isdecimal():
        fields["count"] = str(format_decimal(int(count)))
    if count := fields.get("day_count", ""):
        fields["day_count"] = _days_counted(count)
    return _filled(gettext(sentence), fields)


def _days_counted(count: str) -> str:
    """Show how many days; those of a slot without end are counted as far as anybody looks."""
    shown = str(format_decimal(int(count.removesuffix("+"))))
    return gettext("at least %(count)s", count=shown) if count.endswith("+") else shown


def finding_in_english(finding: Finding) -> str:
    """Say what is wrong where nobody has chosen a language: the sentence as the code has it."""
    return _filled(FINDINGS.get(finding.code, finding.code), finding.fields)


def _filled(sentence: str, fields: Mapping[str, str]) -> str:
    """Put fields into a sentence; one that is missing shows as a dash, never as an error."""
    return sentence % defaultdict(lambda: "–", fields)


def upload_sentence(code: str) -> str:
    """Say why a file was refused."""
    return gettext(UPLOADS.get(code, _OTHER_UPLOAD))


def alert_sentence(result: str) -> str:
    """Say what became of a try to tell somebody."""
    return gettext(ALERT_RESULTS[result])


def reason_sentence(code: str) -> str:
    """Say why something sounded as it did, or did not; an unknown code is shown as it is."""
    kind, _, refusal = code.partition(":")
    sentence = REASONS.get(kind, kind)
    why = gettext(REFUSALS[refusal]) if refusal in REFUSALS else refusal
    return gettext(sentence) % {"why": why} if sentence else ""
