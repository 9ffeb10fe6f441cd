"""What stands on websites in the place of a business's own address, and is nobody's: tables of plain words."""

from __future__ import annotations

import re

# Endings of files (`image@2x.png` is no address) and of networks that are not the web.  Not `.example`: the businesses
# of the demo city have their mailboxes there.
NO_DOMAINS = frozenset(
    "png jpg jpeg gif webp svg avif ico bmp js mjs css map json xml html htm php woff woff2 ttf eot otf mp4 webm "
    "pdf zip min local localhost invalid test internal lan".split()
)
# Numbers of error reports and of copies of a page.
HEX_NOISE = re.compile(r"[0-9a-f]{16,}")
# Without dots and dashes.  What forms show before somebody writes, and boxes that nobody reads.
DECOY_LOCALS = frozenset(
    "test teste testing seuemail youremail meuemail myemail nome name seunome yourname user usuario username "
    "exemplo example ejemplo sample fulano johndoe janedoe noreply naoresponda donotreply mailerdaemon postmaster "
    "abuse xxx xxxx".split()
)
# Invented by whoever wrote the form, or of whoever made the page: never of the business.
DECOY_DOMAINS = frozenset(
    "example.com example.com.br example.org example.net exemplo.com exemplo.com.br test.com teste.com "
    "teste.com.br email.com email.com.br mail.com dominio.com dominio.com.br seudominio.com seudominio.com.br "
    "domain.com yourdomain.com mydomain.com seusite.com seusite.com.br suaempresa.com suaempresa.com.br "
    "empresa.com yourcompany.com company.com mysite.com site.com provedor.com.br servidor.com sentry.io "
    "wixpress.com wix.com wixsite.com wordpress.com wordpress.org squarespace.com webflow.com webflow.io "
    "godaddy.com godaddysites.com secureserver.net shopify.com nuvemshop.com.br lojaintegrada.com.br "
    "hostinger.com hostinger.com.br hostgator.com hostgator.com.br locaweb.com.br uolhost.com.br elementor.com "
    "weebly.com jimdo.com strikingly.com site123.com schema.org w3.org jquery.com google.com googleapis.com "
    "gstatic.com cloudflare.com facebook.com instagram.com whatsapp.com github.com fontawesome.com bootstrap.com "
    "jsdelivr.net unpkg.com".split()
)
# (11) 91234-5678 and its like.
RUNS = ("12345678", "01234567", "98765432", "87654321")
# First part of a path that is no profile: shares, single posts, and the network's own pages.
NO_PROFILES = frozenset(
    "sharer sharer.php share share.php sharearticle sharing dialog plugins tr intent home search explore p reel "
    "reels stories watch embed playlist results shorts hashtag i login login.php signup help about legal privacy "
    "policies policy terms events groups marketplace photo photo.php photos media permalink.php story.php feed "
    "feeds jobs pulse accounts oembed l.php ads business developers directory tv v".split()
)
# The makers of sites and of templates link to themselves.
NOT_THEIRS = frozenset(
    "wix wixcom wordpress wordpressdotcom wordpresscom squarespace godaddy elementor hostinger hostingerbrasil "
    "shopify nuvemshop webflow facebook instagram linkedin youtube tiktok twitter x yourpage yourprofile username "
    "usuario user seuperfil suapagina seuinstagram perfil profile company in channel c meta google whatsapp".split()
)
