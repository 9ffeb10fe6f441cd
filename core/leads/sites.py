"""Websites of leads: which are to be read, by whom just now, and what of it goes onto the leads.

A site is read once for everybody and kept for a month; what it names goes onto every lead that wants it, of whichever
team.  The row is the truth: a reader claims it, reads without a transaction, and settles by its token, so that one
that was killed or late changes nothing.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, text, update
from sqlalchemy.orm import Session

from core.accounts.rules import TeamId
from core.jobs import ReadSites
from core.leads import queries
from core.leads.contacts import Contacts, from_link
from core.leads.phones import NotAPhone, Phone, phone_hash
from core.leads.rules import (
    PASSING,
    REFUSALS,
    LeadFilter,
    LeadId,
    OnWhatsApp,
    PhoneFrom,
    PhoneType,
    SiteReading,
    SiteReason,
    fold,
    name_key,
    words_of,
)
from core.leads.site_names import home_of, site_of
from core.ports import SiteRead
from core.tables import Lead, OptOut, Site
from core.work import Work

GOOD_FOR = timedelta(days=30)
FAILED_FOR = timedelta(days=1)  # then a person who asks again is asked for again
KEPT_FOR = timedelta(days=90)  # behind that, where nobody has a lead there
MOST_TRIES = 3
WAIT_BEFORE_NEXT_TRY = (timedelta(minutes=5), timedelta(hours=1))
CLAIM_HOLDS = timedelta(seconds=90)  # a site is over within 45 s; who takes longer is dead
# Each site of one wish comes a second behind the one before: who wants fifty thousand does not stand before who wants
# ten.  Nobody waits for it: what has not been tried is taken as soon as a reader is free.
APART = timedelta(seconds=1)
# From here on it is the site of a chain: its number is the head office's, and every branch has its own.
SHARED_FROM = 4
PORTION = 5_000
MOST_AT_ONCE = 10_000  # leads of one wish, which is one transaction
CACHED_AT_ONCE = 50
SITES_PER_SHARD = 40
MOST_SHARDS = 4
Thing = TypeVar("Thing")
LOCK = text("select from leads where id = any(:leads) order by id for no key update")
LOCK_WANTING = text("""
    select id from leads where site = any(:hosts) and site_wanted_at is not null order by id for no key update
""")
MARK = text("""
    update leads set site = wanted.host, site_wanted_at = now()
    from unnest(cast(:leads as bigint[]), cast(:hosts as text[])) as wanted (lead, host) where id = wanted.lead
""")
# Rows that are there are not even locked: whoever settles one locks it before its leads, and we may hold some of those.
LET_BE_READ = text("""
    insert into sites (host, url, due_at)
    select host, url, now() + place * cast(:apart as interval)
    from unnest(cast(:hosts as text[]), cast(:urls as text[]), cast(:places as int[])) as wanted (host, url, place)
    on conflict (host) do nothing
""")
ENDED = (SiteReading.READ, SiteReading.REFUSED, SiteReading.FAILED)


@dataclass(frozen=True)
class Wanted:
    """What came of asking for some leads' websites: leads that get read, sites that those are, leads without one.

    `left_over`: how many more have a website that nobody has looked at, and were too many for one time.
    """

    leads: int
    sites: int
    without_site: int
    left_over: int = 0


@dataclass(frozen=True)
class ClaimedSite:
    host: str
    url: str
    token: str
    tries: int
    country: str


# ---------------------------------------------------------------- what is wanted


def want(work: Work, team_id: TeamId, which: LeadFilter) -> Wanted:
    """Marks the leads meant for reading, ten thousand at most: asked again, the next ones have their turn.

    One whose website is a chat or a profile has its contacts at once.
    """
    meant = queries.conditions(team_id, which)
    has_site = Lead.website.is_not(None)
    without, fresh = work.session.execute(
        select(func.count().filter(~has_site), func.count().filter(has_site, _is_fresh())).where(*meant)
    ).one()
    # Those that nobody has looked at first, and of them those that have a site to look at; then those read long ago.
    turn = (_is_fresh().desc(), Lead.site_wanted_at.is_not(None), Lead.site.is_(None), Lead.site_read_at, Lead.id)
    found = _want(work, [Lead.id.in_(select(Lead.id).where(*meant, has_site).order_by(*turn).limit(MOST_AT_ONCE))])
    left_over = max(0, fresh - MOST_AT_ONCE)
    return Wanted(found.leads, found.sites, without + found.without_site, left_over)


def _is_fresh() -> ColumnElement[bool]:
    """Nobody has looked at its website, or is about to."""
    return and_(Lead.site_read_at.is_(None), Lead.site_wanted_at.is_(None))


def want_of_search(work: Work, team_id: TeamId, lead_ids: Sequence[int]) -> Wanted:
    """Marks the leads that a page of a search brought, those without a website aside."""
    if not lead_ids:
        return Wanted(0, 0, 0)
    return _want(
        work,
        [
            Lead.team_id == team_id,
            Lead.id.in_(lead_ids),
            Lead.deleted_at.is_(None),
            Lead.website.is_not(None),
            Lead.site_read_at.is_(None),
        ],
    )


def _want(work: Work, meant: list[ColumnElement[bool]]) -> Wanted:
    leads = work.session.execute(select(Lead.id, Lead.website, Lead.country).where(*meant).order_by(Lead.id)).all()
    marks: list[tuple[int, str]] = []
    urls: dict[str, str] = {}
    at_once: list[tuple[int, Contacts]] = []
    nowhere = 0
    for lead in leads:
        site = site_of(lead.website)
        if site is not None:
            urls.setdefault(site, home_of(lead.website, site))
            marks.append((lead.id, site))
        elif not (told := from_link(lead.website or "", country=lead.country or "BR")).is_empty:
            at_once.append((lead.id, told))
        else:
            nowhere += 1
    _let_be_read(work, urls)
    for some in _portions(marks):
        ids, hosts = [each[0] for each in some], [each[1] for each in some]
        work.session.execute(LOCK, {"leads": ids})
        work.session.execute(MARK, {"leads": ids, "hosts": hosts})
    for lead_id, told in at_once:
        _take_over(work, [Lead.id == lead_id], told)
    if urls:
        work.later(ReadSites())
    return Wanted(len(marks) + len(at_once), len(urls), nowhere)


def _let_be_read(work: Work, urls: dict[str, str]) -> None:
    """A row for each that has none, in order, so that two do not deadlock; one that is no longer good see `_renew`."""
    rows = sorted((host, url, place) for place, (host, url) in enumerate(urls.items()))
    for some in _portions(rows):
        hosts, addresses, places = ([each[column] for each in some] for column in range(3))
        work.session.execute(LET_BE_READ, {"hosts": hosts, "urls": addresses, "places": places, "apart": APART})


def _portions(rows: list[Thing]) -> Iterable[list[Thing]]:
    return (rows[start : start + PORTION] for start in range(0, len(rows), PORTION))


# ---------------------------------------------------------------- what is shown of one lead


@dataclass(frozen=True)
class LeadSite:
    """What the lead's website said, and how reading it stands.

    `contacts` is what was taken over when it was last read, at `read_at`.  `status` is of the site itself, None where
    nobody has asked for it; `reason` tells why it could not be read, or could not yet.
    """

    contacts: Contacts
    read_at: datetime | None
    is_wanted: bool
    status: SiteReading | None
    reason: SiteReason | None
    email: str | None
    phone_from: PhoneFrom
    listed_phone: str | None
    has_site: bool


def site_of_lead(session: Session, team_id: TeamId, lead_id: LeadId) -> LeadSite | None:
    """None for another team's lead.  By the primary keys of leads and sites."""
    found = session.execute(
        select(
            Lead.contacts,
            Lead.site_read_at,
            Lead.site_wanted_at,
            Lead.email,
            Lead.phone_from,
            Lead.listed_phone,
            Lead.website,
            Site.status,
            Site.reason,
        )
        .outerjoin(Site, Site.host == Lead.site)
        .where(Lead.team_id == team_id, Lead.id == lead_id)
    ).first()
    if found is None:
        return None
    return LeadSite(
        contacts=Contacts.from_dict(found.contacts),
        read_at=found.site_read_at,
        is_wanted=found.site_wanted_at is not None,
        status=found.status,
        reason=SiteReason(found.reason) if found.reason in set(SiteReason) else None,
        email=found.email,
        phone_from=found.phone_from,
        listed_phone=found.listed_phone,
        has_site=site_of(found.website) is not None,
    )


# ---------------------------------------------------------------- who reads what


def _may_be_claimed(work: Work) -> ColumnElement[bool]:
    """Served by ix_sites_due.  What was tried waits for its hour, and a claim for its end."""
    return or_(
        and_(Site.status == SiteReading.WAITING, or_(Site.tries == 0, Site.due_at <= work.now)),
        and_(Site.status == SiteReading.READING, Site.due_at <= work.now),
    )


def claim_next(work: Work) -> ClaimedSite | None:
    """The site that is due longest, ours for 90 s; no two readers get the same one."""
    next_one = (
        select(Site.host)
        .where(_may_be_claimed(work), Site.tries < MOST_TRIES)
        .order_by(Site.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    token = str(uuid.uuid4())
    claimed = work.session.execute(
        update(Site)
        .where(Site.host == next_one)
        .values(
            status=SiteReading.READING,
            claim_token=token,
            claimed_at=work.now,
            due_at=work.now + CLAIM_HOLDS,
            tries=Site.tries + 1,
        )
        .returning(Site.host, Site.url, Site.tries)
    ).first()
    if claimed is None:
        return None
    country = work.session.scalar(
        select(Lead.country).where(Lead.site == claimed.host, Lead.site_wanted_at.is_not(None)).limit(1)
    )
    return ClaimedSite(claimed.host, claimed.url, token, claimed.tries, country or "BR")


def settle(work: Work, site: ClaimedSite, read: SiteRead) -> bool:
    """What came of it, once: False where the claim is another's by now, and nothing was changed."""
    if read.reason in PASSING and site.tries < MOST_TRIES:
        return _changed(
            work,
            site,
            status=SiteReading.WAITING,
            reason=read.reason,
            due_at=work.now + WAIT_BEFORE_NEXT_TRY[site.tries - 1],
        )
    status = SiteReading.READ
    if read.contacts is None:
        status = SiteReading.REFUSED if read.reason in REFUSALS else SiteReading.FAILED
    settled = _changed(
        work,
        site,
        status=status,
        reason=read.reason,
        read_at=work.now,
        good_until=work.now + (FAILED_FOR if status is SiteReading.FAILED else GOOD_FOR),
        contacts=read.contacts.to_dict() if read.contacts is not None else None,
    )
    if settled:
        _end(work, {site.host: read.contacts})
    return settled


def give_back(work: Work, site: ClaimedSite) -> bool:
    """Its reader was asked to stop before it began: somebody else may take it at once."""
    return _changed(work, site, status=SiteReading.WAITING, due_at=work.now, tries=site.tries - 1)


def _changed(work: Work, site: ClaimedSite, **values: Any) -> bool:
    """The guarded update: only whoever holds the claim."""
    change = (
        update(Site)
        .where(Site.host == site.host, Site.status == SiteReading.READING, Site.claim_token == site.token)
        .values(claim_token=None, claimed_at=None, **values)
        .returning(Site.host)
    )
    return work.session.scalar(change) is not None


# ---------------------------------------------------------------- the timetable


def queue_sites(work: Work) -> int:
    """Queues readers while there is something to read; returns how many sites are due, counted no further than needed.

    A site whose reader died each time is given up.
    """
    _give_up(work)
    renewed = _renew(work)
    some = select(Site.host).where(_may_be_claimed(work)).limit(SITES_PER_SHARD * MOST_SHARDS).subquery()
    due = work.session.scalar(select(func.count()).select_from(some)) or 0
    if due or renewed or _known_and_wanted(work, 1):
        for shard in range(min(MOST_SHARDS, 1 + due // SITES_PER_SHARD)):
            work.later(ReadSites(shard))
    return due


def _renew(work: Work) -> int:
    """What is wanted and no longer good waits again; a few at a time, which stand before whoever comes next."""
    some = (
        select(Site.host)
        .where(Site.status.in_(ENDED), Site.good_until <= work.now, _is_wanted())
        .limit(SITES_PER_SHARD)
        .with_for_update(skip_locked=True)
        .cte("some")  # read once: a mere subquery may be read again for each row, and its limit is none
    )
    renewed = work.session.scalars(
        update(Site)
        .where(Site.host.in_(select(some.c.host)))
        .values(status=SiteReading.WAITING, due_at=work.now, tries=0, reason=None, good_until=None)
        .returning(Site.host)
    )
    return len(renewed.all())


def _is_wanted() -> ColumnElement[bool]:
    """Served by ix_leads_site_wanted."""
    return exists().where(Lead.site == Site.host, Lead.site_wanted_at.is_not(None))


def _give_up(work: Work) -> None:
    gone = work.session.scalars(
        update(Site)
        .where(Site.status == SiteReading.READING, Site.due_at <= work.now, Site.tries >= MOST_TRIES)
        .values(
            status=SiteReading.FAILED,
            reason=SiteReason.INTERRUPTED,
            claim_token=None,
            claimed_at=None,
            read_at=work.now,
            good_until=work.now + FAILED_FOR,
        )
        .returning(Site.host)
    ).all()
    _end(work, dict.fromkeys(gone))


def apply_known(work: Work) -> int:
    """Takes over what is known already of sites that leads want; how many sites those were, fifty at most.

    What is known but no longer good waits to be read again.
    """
    _renew(work)
    hosts = _known_and_wanted(work, CACHED_AT_ONCE)
    known = work.session.execute(select(Site.host, Site.status, Site.contacts).where(Site.host.in_(hosts)))
    _end(
        work,
        {
            host: Contacts.from_dict(contacts) if status is SiteReading.READ else None
            for host, status, contacts in known
        },
    )
    return len(hosts)


def _known_and_wanted(work: Work, most: int) -> Sequence[str]:
    known = Site.status.in_(ENDED), Site.good_until > work.now
    return work.session.scalars(select(Site.host).where(*known, _is_wanted()).limit(most)).all()


def forget_sites(work: Work, *, at_most: int) -> int:
    """What was read of sites where nobody has a lead any more."""
    old = (
        select(Site.host)
        .where(
            Site.good_until < work.now - KEPT_FOR, ~exists().where(Lead.site == Site.host, Lead.deleted_at.is_(None))
        )
        .limit(at_most)
    )
    return len(work.session.scalars(delete(Site).where(Site.host.in_(old)).returning(Site.host)).all())


# ---------------------------------------------------------------- onto the leads


def _end(work: Work, told: Mapping[str, Contacts | None]) -> None:
    """The wish of every lead with these sites is over; where one was read, they get what it names.

    All of their leads are locked first, by their ids: whoever locks several does it in that order.  Only these are
    touched: one that is wished for meanwhile may stand before them, and has its turn with the next look.
    """
    if not told:
        return
    locked = work.session.scalars(LOCK_WANTING, {"hosts": list(told)}).all()
    for host, contacts in told.items():
        wanting = [Lead.id.in_(locked), Lead.site == host, Lead.site_wanted_at.is_not(None)]
        if contacts is not None:
            _take_over(work, wanting, contacts)
        else:
            freed = update(Lead).where(*wanting).values(site_wanted_at=None).returning(Lead.team_id)
            _tell(work, work.session.scalars(freed).all())


def _take_over(work: Work, which: list[ColumnElement[bool]], contacts: Contacts) -> None:
    """An e-mail where there was none, all contacts beside it, and the number for WhatsApp where it is a better one."""
    leads = work.session.execute(
        select(*LOOKED_AT).where(*which, Lead.deleted_at.is_(None)).order_by(Lead.id).with_for_update(key_share=True)
    ).all()
    email = contacts.emails[0] if contacts.emails else None
    work.session.execute(
        update(Lead)
        .where(Lead.id.in_([lead.id for lead in leads]))
        .values(
            contacts=contacts.to_dict(),
            email=func.coalesce(Lead.email, email),
            site_read_at=work.now,
            site_wanted_at=None,
        )
    )
    work.session.execute(update(Lead).where(*which, Lead.deleted_at.is_not(None)).values(site_wanted_at=None))
    if contacts.whatsapp:
        _prefer(work, leads, contacts.whatsapp[0])
    _tell(work, [lead.team_id for lead in leads])


LOOKED_AT = (
    Lead.id,
    Lead.team_id,
    Lead.site,
    Lead.name,
    Lead.name_key,
    Lead.website,
    Lead.address,
    Lead.phone,
    Lead.phone_type,
    Lead.phone_from,
    Lead.listed_phone,
    Lead.on_whatsapp,
    Lead.opted_out_at,
    Lead.last_replied_at,
)


def may_be_replaced(
    *, phone: str | None, type: PhoneType | None, comes_from: PhoneFrom, answers: bool, is_opted_out: bool
) -> bool:
    """Whether a number that a site names for WhatsApp may take the place of this one.

    Not of a mobile or one that is known to answer; never of what a person wrote, or of one who asked to be left alone:
    another number of theirs would be a way around that.
    """
    if comes_from is PhoneFrom.BY_HAND or is_opted_out or answers:
        return False
    return phone is None or comes_from is PhoneFrom.WEBSITE or type is not PhoneType.MOBILE


def _prefer(work: Work, leads: Sequence[Any], number: str) -> None:
    try:
        phone = Phone.parse(number, "")
    except NotAPhone:  # kept by an older version that knew it better
        return
    hashed = phone_hash(work.settings.secret_key, phone.e164)
    users = _users_of_site(work, leads)
    for lead in leads:
        may = may_be_replaced(
            phone=lead.phone,
            type=lead.phone_type,
            comes_from=lead.phone_from,
            answers=lead.on_whatsapp is OnWhatsApp.YES or lead.last_replied_at is not None,
            is_opted_out=lead.opted_out_at is not None,
        )
        if may and lead.phone != phone.e164 and users.get(lead.team_id, 0) < SHARED_FROM:
            _write_phone(work, lead, phone, hashed)


def _users_of_site(work: Work, leads: Sequence[Any]) -> dict[int, int]:
    """How many leads of each team have this site.  One whose website is a chat of its own is alone with it."""
    sites = {lead.site for lead in leads if lead.site}
    if not sites:
        return {}
    found = work.session.execute(
        select(Lead.team_id, func.count())
        .where(Lead.site.in_(sites), Lead.team_id.in_({lead.team_id for lead in leads}), Lead.deleted_at.is_(None))
        .group_by(Lead.team_id)
    )
    return {team_id: n for team_id, n in found}


def _write_phone(work: Work, lead: Any, phone: Phone, hashed: bytes) -> None:
    """`name_key` stays the listed number's: by it the same business is known again when another source shows it."""
    listed = lead.phone if lead.phone_from is PhoneFrom.LISTED else lead.listed_phone
    left_alone = work.session.scalar(
        select(OptOut.phone_hash).where(
            OptOut.team_id == lead.team_id, OptOut.phone_hash == hashed, OptOut.undone_at.is_(None)
        )
    )
    work.session.execute(
        update(Lead)
        .where(Lead.id == lead.id)
        .values(
            phone=phone.e164,
            phone_type=phone.type,
            phone_hash=hashed,
            phone_from=PhoneFrom.WEBSITE,
            listed_phone=listed,
            name_key=lead.name_key or name_key(lead.name, phone.e164),
            words=words_of(folded_name=fold(lead.name), phone=phone.e164, website=lead.website, address=lead.address),
            on_whatsapp=OnWhatsApp.UNKNOWN,  # what was checked was the other number
            whatsapp_checked_at=None,
            opted_out_at=work.now if left_alone is not None else None,
        )
    )


def _tell(work: Work, teams: Iterable[int]) -> None:
    for team_id, n in Counter(teams).items():
        work.tell(f"leads:{team_id}", {"sites": n})
