"""Signing in, people and invites."""

from ui.words import N_

SENTENCES = {
    "password_too_short": N_("At least {n} characters."),
    "password_too_long": N_("{n} characters at most."),
    "password_too_common": N_("Too easy to guess. Choose another: a few words together work well."),
    "wrong_password": N_("This is not your password."),
    "too_many_invites_today": N_("{n} invites a day at most. Go on tomorrow."),
    "already_in_the_team": N_("This person is in the team already."),
    "changed:installed": N_("The administrator was created a moment ago. Sign in."),
    "changed:invite_closed": N_("This invite was used or withdrawn."),
    "changed:last_owner": N_("A team needs somebody who administers it. Give the role to somebody else first."),
}
