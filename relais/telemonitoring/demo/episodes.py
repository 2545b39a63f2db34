"""Follow-ups drawn one by one, judged and saved in batches: who, since when, with which cell, and every answer."""

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX

from relais.core.demo import Region, new_id
from relais.core.paris import PARIS
from relais.directory.demo import POPULATION
from relais.directory.models import Establishment, Kind
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Dossier
from relais.patients.models import CareLink, Grant, Holder, Patient
from relais.questionnaires.columns import values
from relais.questionnaires.models import Questionnaire
from relais.telemonitoring.actions.answers import context_of, facts_of
from relais.telemonitoring.actions.rules import answers_of, reader
from relais.telemonitoring.demo import cells, courses
from relais.telemonitoring.demo.cells import Team, clinicians
from relais.telemonitoring.demo.courses import CONTACT, FEBRILE, LINGERING, MILD, SILENT, WORSE
from relais.telemonitoring.demo.people import DAY, SOURCES, People, factors, inclusions
from relais.telemonitoring.demo.rows import BATCH, Rows
from relais.telemonitoring.demo.story import MINUTE, Episode, Given, Story
from relais.telemonitoring.inclusion import risk_of
from relais.telemonitoring.judging import Decision
from relais.telemonitoring.models import CellKind, FollowUp
from relais.telemonitoring.programme import (
    EXTENSION,
    FORMS,
    Plan,
    Rhythm,
    Window,
    band,
    end_of,
    form_for,
    months,
    population,
)  # fmt: skip

EPISODES = {"small": 24, "tenth": 1_200, "region": 12_000, "stress": 12_000}
ALL_NOW = ("small", "stress")  # sizes in which everybody is followed now
PROXY, OXIMETER, LATE, EXTENDED = 0.06, 0.6, 0.02, 0.04
# Of all: those who leave before their end, and why.
LEAVING = {"refus-retrait-consentement": 0.015, "entree-ehpad-ou-hebergement": 0.003, "inclusion-erreur-doublon": 0.003}
NEGATIVE = 0.12  # of those who waited for a test
STATUSES = {"confirme": 70, "possible": 18, "probable": 5, "sortie": 7}
# Source → kind of the cell that follows, kind of the place that includes.
FOLLOWS = {
    "hospital": (CellKind.HOSPITAL, Kind.HOSPITAL), "centre": (CellKind.CENTRE, Kind.CENTRE),
    "gp": (CellKind.DAC, Kind.CENTRE), "dac": (CellKind.DAC, Kind.ESMS), "samu": (CellKind.REGIONAL, Kind.SAMU),
}  # fmt: skip
# Whom a newcomer finds in the hospital's cell: course, day, minutes since the last answer, state of the alert, of age.
SCRIPT = [
    (WORSE, 9, 7, "new", True), (WORSE, 8, 26, "taken", True), (LINGERING, 7, 18, "new", True),
    (LINGERING, 9, 95, "reached", True), (SILENT, 5, 0, "new", True), (SILENT, 8, 0, "unreached", True),
    (MILD, 3, 50, "", True), (CONTACT, 4, 70, "", True), (FEBRILE, 2, 34, "", True), (MILD, 12, 130, "", True),
    (MILD, 4, 61, "", False),
]  # fmt: skip


def build(region: Region, rng: random.Random, *, count: int | None = None) -> None:
    """Cells with their members, and the people they follow: `count` of them, or as many as the size of the region asks."""
    Builder(region, rng).build(count or EPISODES[region.size])


class Builder:
    """Draws follow-ups in the order of their beginnings, those of the script first."""

    def __init__(self, region: Region, rng: random.Random) -> None:
        self.region, self.rng, self.rows = region, rng, Rows()
        self.network = cells.build(region, rng, small=region.size == "small")
        self.people = People(region, rng)
        self.today = region.now.astimezone(PARIS).date()
        self.forms = {
            name: Questionnaire.objects.filter(name=name).latest("rank") for names in FORMS.values() for name in names
        }
        self.asked = {name: {item.link_id for item in one.form.walk()} for name, one in self.forms.items()}
        self.context = {name: {item.link_id for item in one.form.context} for name, one in self.forms.items()}
        self.places: dict[tuple[str, str], list[Establishment]] = {}
        for one in region.establishments:
            self.places.setdefault((one.kind, one.department), []).append(one)
        self.batch: list[Episode] = []

    def build(self, count: int) -> None:
        for episode in self._episodes(count):
            self.batch.append(episode)
            if len(self.batch) >= BATCH:
                self._flush()
        self._flush()

    def _episodes(self, count: int) -> Iterator[Episode]:
        network, rng = self.network, self.rng
        for kind, day, ago, state, adult in SCRIPT[:count]:
            patient = self.people.draw(self.today, adult=adult)
            yield self._begin(patient, network.home, kind, self.today - day * DAY, ago=ago, state=state)
        left = count - len(SCRIPT)
        if self.region.size not in ALL_NOW:
            for starts in inclusions(rng, self.region.now, left):
                team, place = self._source(datetime.combine(starts, time(8), tzinfo=PARIS))
                onset = starts - rng.randint(0, 3) * DAY
                yield self._begin(self.people.draw(starts), team, self._kind(), onset, starts=starts, place=place)
            return
        for number in range(left):
            kind = self._kind()
            day = rng.randint(6, 11) if kind == WORSE else rng.randint(1, 14)
            team = network.home if self.region.size == "small" and number % 3 else network.regional
            yield self._begin(self.people.draw(self.today), team, kind, self.today - day * DAY)

    def _kind(self) -> str:
        return self.rng.choices(list(courses.SHARES), list(courses.SHARES.values()))[0]

    def _source(self, at: datetime) -> tuple[Team, Establishment]:
        """The cell that follows somebody included then, and the place that included them."""
        department = self.rng.choices(list(POPULATION), list(POPULATION.values()))[0]
        kind, place = FOLLOWS[self.rng.choices(list(SOURCES), list(SOURCES.values()))[0]]
        team = self.network.team(kind, department, at)
        known = self.places.get((place, department))
        here = team.cell.kind == kind and kind != CellKind.DAC
        return team, team.cell.establishment if here or not known else self.rng.choice(known)

    def _begin(
        self, patient: Patient, team: Team, kind: str, onset: date, *, starts: date | None = None,
        place: Establishment | None = None, ago: int = 0, state: str = "",
    ) -> Episode:  # fmt: skip
        """The inclusion and every answer of one follow-up."""
        rng, now = self.rng, self.region.now
        starts = starts or min(self.today, onset + rng.randint(1, 3) * DAY)
        opening = datetime.combine(starts, time(8), tzinfo=PARIS).astimezone(now.tzinfo)
        began = min(opening + rng.randint(0, 600) * MINUTE, now - max(30, ago + 10) * MINUTE)  # before its last answer
        where = place or team.cell.establishment
        by = rng.choice(clinicians(self.region, where) or team.staff)
        text = "".join(rng.choices(dossiers.ALPHABET, k=8))
        dossier = Dossier(
            id=new_id(rng), kind="telemonitoring", reference=f"EC-{text[:4]}-{text[4:]}", patient=patient,
            establishment=where, opened_by=by.pk, created_at=began,
        )  # fmt: skip
        follow_up = self._follow_up(dossier, team, kind, onset, starts)
        follow_up.enrolled_by = by
        grant = self._grant(patient, follow_up, began)
        self.rows.dossiers.append(dossier)
        self.rows.follow_ups.append(follow_up)
        self.rows.grants.append(grant)
        for pk in {where.pk: 0, team.cell.establishment_id: 0}:
            link = CareLink(
                id=new_id(rng),
                patient=patient,
                establishment_id=pk,
                basis="episode",
                about=dossier.pk,
                created_at=began,
            )
            self.rows.links.append(link)
        if state:
            self._in_circle(dossier, team)
        episode = Episode(follow_up, team, grant, kind, shown=state)
        Story(episode, self.rows, rng, now).desk.event(began, "created", by)
        if not ago:
            self._leaving(episode, starts)
        self._answers(episode, began, ago)
        return episode

    def _in_circle(self, dossier: Dossier, team: Team) -> None:
        """A doctor of another place reads the follow-up of somebody of the script (TS-14)."""
        aside = random.Random(str(dossier.pk))  # apart: the region is drawn as without it  # noqa: S311
        places = (one for one in self.region.establishments if one.pk != team.cell.establishment_id)
        reader = next((found[0] for one in places if (found := clinicians(self.region, one))), None)
        if reader:
            self.rows.links.append(
                CareLink(
                    id=new_id(aside), patient=dossier.patient, user_id=reader.pk, basis="circle", about=dossier.pk,
                    created_at=dossier.created_at,
                )
            )  # fmt: skip

    def _follow_up(self, dossier: Dossier, team: Team, kind: str, onset: date, starts: date) -> FollowUp:
        rng, born = self.rng, dossier.patient.birth_date
        assert born is not None  # noqa: S101
        found = factors(rng, months(born, starts) // 12)
        risk = risk_of(tuple(found), born=born, today=starts)
        status = rng.choices(list(STATUSES), list(STATUSES.values()))[0]
        rhythm = Rhythm.STANDARD
        if kind == CONTACT:
            status, rhythm = CONTACT, Rhythm.CONTACT
        elif set(found) - {"rf.precarite"} or status == "sortie" or band(born, starts) == "A":
            rhythm = Rhythm.REINFORCED
        extended = int(rng.random() < EXTENDED)
        facts = {"rf.diabete": "diabetes", "rf.enfant": "risk_child"}
        return FollowUp(
            dossier=dossier, cell=team.cell, status=status, onset=onset, starts_on=starts, extensions=extended,
            ends_on=end_of(onset, starts, extended), risk=risk, factors=found, rhythm=rhythm,
            facts={name: True for factor, name in facts.items() if factor in found},
            equipment=["thermometre", *(["oxymetre"] if rng.random() < OXIMETER else [])], watched_until=self.region.now,
        )  # fmt: skip

    def _grant(self, patient: Patient, follow_up: FollowUp, at: datetime) -> Grant:
        rng, holder, name = self.rng, Holder.SELF, ""
        if patient.birth_date and band(patient.birth_date, follow_up.starts_on):
            holder, name = Holder.PARENT, f"Parent de {patient.given_name}"
        elif rng.random() < PROXY:
            holder, name = Holder.FAMILY, f"Proche de {patient.given_name}"
        lasts = timedelta(days=30 + EXTENSION) + (follow_up.ends_on - follow_up.starts_on)
        return Grant(
            id=new_id(rng), patient=patient, establishment_id=follow_up.cell.establishment_id, about=follow_up.pk,
            holder=holder, holder_name=name[:200], email=patient.email, phone=patient.phone,
            login=f"{rng.getrandbits(48):012x}", password_hash=UNUSABLE_PASSWORD_PREFIX, secrets_at=at, valid_from=at,
            valid_until=at + lasts, created_at=at,
        )  # fmt: skip

    def _leaving(self, episode: Episode, starts: date) -> None:
        """Some leave before their end: they no longer want it, the test was negative, they moved."""
        rng, drawn = self.rng, self.rng.random()
        why = "test-negatif-diagnostic-infirme" if episode.follow_up.status == "possible" and drawn < NEGATIVE else ""
        for name, share in LEAVING.items():
            why, drawn = (name if 0 <= drawn < share and not why else why), drawn - share
        if why and self.region.size not in ALL_NOW:
            day = starts + rng.randint(1, 4 if why.startswith(("test", "inclusion")) else 9) * DAY
            at = datetime.combine(day, time(11), tzinfo=PARIS).astimezone(self.region.now.tzinfo)
            episode.leaves = at + rng.uniform(0, 300) * MINUTE, why

    def _answers(self, episode: Episode, began: datetime, ago: int) -> None:
        follow_up, rng, now = episode.follow_up, self.rng, self.region.now
        plan = Plan(follow_up.onset, follow_up.starts_on, follow_up.ends_on, follow_up.rhythm)
        course = self._course(episode)
        latest = min(now - max(ago, 1) * MINUTE, episode.leaves[0] if episode.leaves else now)
        silent = now - timedelta(hours=26) if episode.kind == SILENT else latest
        regular, silence = bool(ago) or rng.random() < courses.REGULAR, 0
        for window in plan.windows(follow_up.starts_on, min(self.today, follow_up.ends_on)):
            opens, closes = window.opens.astimezone(now.tzinfo), window.closes.astimezone(now.tzinfo)
            minutes = min(rng.lognormvariate(4, 1), (closes - opens) / MINUTE - 6)
            at = opens + minutes * MINUTE
            if closes <= began or at < began:
                continue
            if at > latest:
                break
            silence = max(0, silence - 1) or courses.silence(rng, follow_up.day(window.day), regular=regular)
            if at <= silent and not silence:
                self._given(episode, course, window, at)
            elif closes <= latest:
                episode.gone.append(window)
        if ago and (last := plan.window_of(now - ago * MINUTE)):
            self._given(episode, course, last, now - ago * MINUTE)

    def _course(self, episode: Episode) -> courses.Course | courses.Child | None:
        follow_up = episode.follow_up
        born = follow_up.dossier.patient.birth_date
        if episode.kind == CONTACT:
            return None
        if born and band(born, follow_up.starts_on):
            return courses.Child(episode.kind, self.rng)
        return courses.Course(episode.kind, self.rng, oximeter="oxymetre" in follow_up.equipment)

    def _given(self, episode: Episode, course: Any, window: Window, at: datetime) -> None:
        follow_up, rng, contact = episode.follow_up, self.rng, episode.kind == CONTACT
        born, on, day = follow_up.dossier.patient.birth_date, at.astimezone(PARIS).date(), follow_up.day(window.day)
        grown = isinstance(course, courses.Course)
        name = form_for(contact=contact, born=None if grown else born, on=on)
        group = population(contact=contact, born=None if grown else born, on=on)
        if group == "adult" and isinstance(course, courses.Child):
            course = episode.grown = episode.grown or courses.Course(
                episode.kind, rng, oximeter="oxymetre" in follow_up.equipment
            )
        if contact:
            answers = courses.contact(rng, day)
        elif isinstance(course, courses.Child):
            answers = course.answers(day, name[-1], self.asked[name])
        else:
            answers = course.answers(day)
            if episode.grant.holder == Holder.FAMILY:
                answers["ad.saisie"] = ["proche-aidant"]
        known = self.context[name]
        answers |= {link_id: value for link_id, value in context_of(follow_up).items() if link_id in known}
        row = {**facts_of(follow_up, at), **values(answers_of(group), answers)}
        received = at + rng.uniform(10, 200) * MINUTE if rng.random() < LATE else at
        received = received if received < self.region.now else at
        episode.given.append(Given(at, received, window, self.forms[name], group, answers, row))

    def _flush(self) -> None:
        """Judge what was given in this batch, one frame a population, tell every story, save."""
        decided: dict[int, Decision] = {}
        for group in FORMS:
            given = [(one.follow_up.pk, each) for one in self.batch for each in one.given if each.group == group]
            order = [each for _pk, each in sorted(given, key=lambda one: (str(one[0]), one[1].at))]
            if order:
                judged = reader(self.network.home.cell.rules_id, group).decide(each.row for each in order)
                decided |= {id(each): decision for each, decision in zip(order, judged, strict=True)}
        for episode in self.batch:
            Story(episode, self.rows, self.rng, self.region.now).tell(decided)
        self.batch = []
        self.rows.insert()
