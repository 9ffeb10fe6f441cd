"""The table of leads: its columns, its rows, and how the browser draws each cell."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from nicegui import ui

from core.leads import service as leads
from core.leads.queries import LeadRow
from core.leads.rules import LeadStatus
from ui.pages.leads.looks import LOOKS
from ui.parts import safe
from ui.parts.avatar import initials, tint
from ui.parts.phone import ON_WHATSAPP
from ui.words import N_, _, formats

# By name: what its head says, and whether one may sort by it.  The first is always there.
COLUMNS = {
    "name": (N_("Company"), True),
    "where": (N_("Neighbourhood"), False),
    "rating": (N_("Rating"), True),
    "phone": (N_("Phone"), False),
    "site": (N_("Website"), False),
    "email": (N_("E-mail"), False),
    "tags": (N_("Tags"), False),
    "status": (N_("Status"), False),
    "last_contact": (N_("Last contact"), True),
}
SHOWN_TAGS = 2  # of one lead; the others are counted
OPTIONAL = tuple(COLUMNS)[1:]
USUAL = tuple(name for name in OPTIONAL if name != "email")


def columns_of(shown: Collection[str]) -> list[dict[str, Any]]:
    """As the table takes them, in our order."""
    return [
        {
            "name": name,
            "label": _(words),
            "field": "name",
            "align": "right" if name == "rating" else "left",
            "sortable": is_sortable,
            "classes": f"p-lead-c-{name}",
            "headerClasses": f"p-lead-c-{name}",
        }
        for name, (words, is_sortable) in COLUMNS.items()
        if name == "name" or name in shown
    ]


def row_of(lead: LeadRow) -> dict[str, Any]:
    """What the templates show: words and names of looks, and no address that safe_url has not passed."""
    look = LOOKS[lead.status]
    icon, tone, on_whatsapp = ON_WHATSAPP[lead.on_whatsapp.value]
    return {
        "id": lead.id,
        "name": lead.name,
        "category": lead.category or "",
        "where": lead.neighbourhood or lead.city or formats.UNKNOWN,
        "about": " · ".join(filter(None, [lead.category, lead.neighbourhood or lead.city])),
        "initials": initials(lead.name),
        "tint": tint(lead.name),
        "rating": formats.rating(lead.rating) if lead.rating is not None else "",
        "reviews": f"({formats.number(lead.review_count)})" if lead.review_count is not None else "",
        "phone": formats.phone(lead.phone),
        "has_phone": lead.phone is not None,
        "wa_icon": f"sym_r_{icon}",
        "wa_tone": tone,
        "wa_words": _(on_whatsapp),
        "safe_site": safe.safe_url(lead.website) or "",
        "email": lead.email or "",
        "tags": [tag.name for tag in lead.tags[:SHOWN_TAGS]],
        "all_tags": ", ".join(tag.name for tag in lead.tags),
        "more_tags": max(len(lead.tags) - SHOWN_TAGS, 0),
        "status": _(look.words),
        "status_tone": look.tone,
        "status_icon": f"sym_r_{look.icon}" if look.icon != "dot" else "",
        "is_dim": lead.status is LeadStatus.OPTED_OUT,
        "is_open": False,
        "last": formats.ago(lead.last_contact_at) if lead.last_contact_at else formats.UNKNOWN,
        "site_words": _("Website"),
    }


def lead_table(shown: Collection[str]) -> ui.table:
    """Of these columns; see `columns_of`."""
    columns = columns_of(shown)
    pagination = {"rowsPerPage": leads.PER_PAGE, "rowsNumber": leads.PER_PAGE, "page": 1}
    table = ui.table(rows=[], columns=columns, row_key="id", selection="multiple", pagination=pagination)
    table.classes("bleed p-leads").props('hide-bottom binary-state-sort :grid="Quasar.Screen.lt.sm"')
    table.props("column-sort-order=da")
    _draw_cells(table)
    return table


def _draw_cells(table: ui.table) -> None:
    """Templates that the browser fills from the rows; they are constants, whatever a business is called."""
    table.add_slot(
        "body-cell-name",
        """
        <q-td :props="props" :class="{dim: props.row.is_dim, open: props.row.is_open}">
          <div class="p-row p-g10">
            <span :class="'p-ava sq ' + props.row.tint" aria-hidden="true">{{ props.row.initials }}</span>
            <div class="p-col p-lead-name">
              <a class="p-plain p-b p-ell" :href="'/leads?id=' + props.row.id"
                @click.exact.prevent="$parent.$emit('open', props.row.id)">{{ props.row.name }}</a>
              <span class="p-t-xs p-t-3 p-ell">{{ props.row.category }}</span>
            </div>
          </div>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-where",
        '<q-td :props="props"><span class="p-t-2 p-t-sm p-ell p-where">{{ props.row.where }}</span></q-td>',
    )
    table.add_slot(
        "body-cell-rating",
        """
        <q-td :props="props">
          <span v-if="props.row.rating" class="p-row p-g4 p-stars">
            <q-icon name="star" size="16px" class="p-star" aria-hidden="true"/>
            <span class="p-b">{{ props.row.rating }}</span>
            <span class="p-t-3 p-t-xs p-reviews">{{ props.row.reviews }}</span>
          </span>
          <span v-else class="p-t-3">—</span>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-phone",
        """
        <q-td :props="props">
          <span v-if="props.row.has_phone" class="p-row p-g6 p-num p-t-sm p-nowrap">
            <q-icon :name="props.row.wa_icon" :class="props.row.wa_tone" size="16px" aria-hidden="true">
              <q-tooltip>{{ props.row.wa_words }}</q-tooltip>
            </q-icon>
            <span class="p-sr">{{ props.row.wa_words }}</span>{{ props.row.phone }}
          </span>
          <span v-else class="p-t-3">—</span>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-site",
        """
        <q-td :props="props">
          <a v-if="props.row.safe_site" :href="props.row.safe_site" target="_blank" rel="noopener noreferrer"
            class="p-t-2" :aria-label="props.row.site_words + ': ' + props.row.name" @click.stop>
            <q-icon name="sym_r_language" size="18px" aria-hidden="true"/>
            <q-tooltip>{{ props.row.safe_site }}</q-tooltip>
          </a>
          <span v-else class="p-t-3">—</span>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-email",
        """
        <q-td :props="props">
          <span v-if="props.row.email" class="p-t-sm p-ell p-email">{{ props.row.email }}</span>
          <span v-else class="p-t-3">—</span>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-tags",
        """
        <q-td :props="props">
          <span v-if="props.row.tags.length" class="p-row p-g4 p-tags">
            <span v-for="tag in props.row.tags" :key="tag" class="p-chip line p-tag">{{ tag }}</span>
            <span v-if="props.row.more_tags" class="p-t-xs p-t-3">+{{ props.row.more_tags }}</span>
            <q-tooltip v-if="props.row.more_tags">{{ props.row.all_tags }}</q-tooltip>
          </span>
          <span v-else class="p-t-3">—</span>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-status",
        """
        <q-td :props="props">
          <span :class="'p-chip ' + props.row.status_tone">
            <q-icon v-if="props.row.status_icon" :name="props.row.status_icon" aria-hidden="true"/>
            <i v-else class="dot"></i>{{ props.row.status }}
          </span>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-last_contact",
        '<q-td :props="props"><span class="p-t-2 p-t-sm p-nowrap">{{ props.row.last }}</span></q-td>',
    )
    table.add_slot(
        "item",
        """
        <a class="p-lead-card" :href="'/leads?id=' + props.row.id"
          @click.exact.prevent="$parent.$emit('open', props.row.id)">
          <span :class="'p-ava sq s40 ' + props.row.tint" aria-hidden="true">{{ props.row.initials }}</span>
          <span class="p-col p-grow">
            <span class="p-row p-between p-g8">
              <span :class="{'p-b': true, 'p-ell': true, 'p-t-3': props.row.is_dim}">{{ props.row.name }}</span>
              <span class="p-t-xs p-t-3 p-nowrap">{{ props.row.last }}</span>
            </span>
            <span class="p-t-sm p-t-3 p-ell">{{ props.row.about }}</span>
            <span class="p-row p-g8 p-t-sm p-t-2 p-num p-lead-line">
              <span v-if="props.row.has_phone" class="p-row p-g4 p-nowrap">
                <q-icon :name="props.row.wa_icon" :class="props.row.wa_tone" size="16px" aria-hidden="true"/>
                <span class="p-sr">{{ props.row.wa_words }}</span>{{ props.row.phone }}
              </span>
              <span v-if="props.row.rating" class="p-row p-g2">
                <q-icon name="star" size="14px" class="p-star" aria-hidden="true"/>{{ props.row.rating }}
              </span>
              <span :class="'p-chip p-end ' + props.row.status_tone">
                <q-icon v-if="props.row.status_icon" :name="props.row.status_icon" aria-hidden="true"/>
                <i v-else class="dot"></i>{{ props.row.status }}
              </span>
            </span>
            <span v-if="props.row.tags.length" class="p-row p-g4 p-lead-line">
              <span v-for="tag in props.row.tags" :key="tag" class="p-chip line p-tag">{{ tag }}</span>
              <span v-if="props.row.more_tags" class="p-t-xs p-t-3">+{{ props.row.more_tags }}</span>
            </span>
          </span>
        </a>
        """,
    )
