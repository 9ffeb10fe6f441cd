"""Why a website was not read: the sentences for core's SiteReason."""

from ui.words import N_

SENTENCES = {
    "site_robots": N_("The site asks programs not to read it."),
    "site_not_public": N_("The site leads into a private network, so it was not opened."),
    "site_bad_address": N_("This is not the address of a website."),
    "site_no_such_host": N_("The site's address leads nowhere."),
    "site_unreachable": N_("The site did not answer."),
    "site_bad_certificate": N_("The site's certificate is not valid."),
    "site_too_slow": N_("The site took too long to answer."),
    "site_too_large": N_("The site's page is too large."),
    "site_not_a_page": N_("There is a file at this address, not a page."),
    "site_answers_with_error": N_("The site answered with an error."),
    "site_leads_in_circles": N_("The site leads from one address to the next without an end."),
    "site_interrupted": N_("Reading the site broke off several times."),
}
