"""The other side: a loop over the rows with one kept connection, and a commit for each row that was sent.

A table of its own with a single index, which is all that such a script needs: less to write than ours.
"""

from __future__ import annotations

from typing import Any

import psycopg2
import requests
from psycopg2.extras import execute_values

from bench.sending import side
from bench.sending.people import person
from local.postgres import plain

TABLE = """
drop table if exists bench_naive;
create table bench_naive (
    id bigint generated always as identity primary key, phone text not null, body text not null,
    status text not null default 'pending', message_id text, sent_at timestamptz
)
"""


def send(wish: dict[str, Any], database_url: str) -> int:
    """How many were taken; the rows are made before the clock runs."""
    connection = psycopg2.connect(plain(database_url))
    with connection, connection.cursor() as cursor:
        cursor.execute(TABLE)
        people = [(each.digits, each.text) for each in map(person, range(wish["contacts"]))]
        execute_values(cursor, "insert into bench_naive (phone, body) values %s", people)
    with connection.cursor() as cursor, requests.Session() as session:
        session.headers["apikey"] = "bench"
        side.ready()
        cursor.execute("select id, phone, body from bench_naive where status = 'pending' order by id")
        for row_id, phone, text in cursor.fetchall():
            answer = session.post(
                f"{wish['gateway']}/message/sendText/bench-1", json={"number": phone, "text": text}, timeout=30
            )
            if answer.status_code == 201:
                cursor.execute(
                    "update bench_naive set status = 'sent', message_id = %s, sent_at = now() where id = %s",
                    (answer.json()["key"]["id"], row_id),
                )
                connection.commit()
        cursor.execute("select count(*) from bench_naive where status = 'sent'")
        [sent] = cursor.fetchone() or (0,)
    connection.close()
    return int(sent)


if __name__ == "__main__":
    asked = side.wish()
    side.over({"sent": send(asked, side.database_url())})
