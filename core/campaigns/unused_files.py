"""Files that no message asks for any more: forgotten a day later, by the timetable."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from core.work import Work

FORGET_AFTER = timedelta(days=1)  # a tab that is still open may hold a message with it
AT_ONCE = 200
# What names a file: a message of a campaign in whatever state, a kept one, and an answer that has not gone out yet.
IS_USED = """(
    exists (select from campaign_steps s where s.team_id = f.team_id and s.media_id = f.id)
    or exists (
        select from message_templates t
        where t.team_id = f.team_id and jsonb_path_exists(
            t.content, '$.**.media_id ? (@ == $id)', jsonb_build_object('id', f.id))
    )
    or exists (
        select from answers a join messages m on m.id = a.message_id
        where a.status in ('queued', 'sending', 'unconfirmed', 'held') and m.team_id = f.team_id
          and m.media ->> 'media_id' = cast(f.id as text)
    )
)"""
MARK = text(f"""
update media_files f set unused_since = case when f.unused_since is null then now() end
where (f.unused_since is not null) = {IS_USED}
""")  # noqa: S608 - the words put in are our own
FORGET = text(f"""
delete from media_files where id in (
    select f.id from media_files f
    where f.unused_since < now() - :age and not {IS_USED}
    order by f.unused_since limit :most
    for update skip locked
)
""")  # noqa: S608


def forget_unused(work: Work) -> int:
    """Deletes the files that no message has asked for since a day; how many.  Called by the timetable.

    Whoever brings the same file again, or saves a message with it, has it used again; a draft that is being saved with
    it at this moment holds its row, and it stays.
    """
    work.session.execute(MARK)
    gone = work.session.execute(FORGET, {"age": FORGET_AFTER, "most": AT_ONCE})
    return int(gone.rowcount)  # type: ignore[attr-defined]
