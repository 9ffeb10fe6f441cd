# Prumo's processes: the target `app` for all of them, `scraper` with a browser for the one that reads the map.
# The sandbox is in, so that the image can also show itself without WhatsApp: `docker run … python -m sandbox.gateway`.

FROM python:3.11-slim-bookworm AS app

ENV PYTHONUNBUFFERED=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1

# An account of its own: nothing here needs root, and the data folder is the only one it may write to.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/prumo --shell /usr/sbin/nologin prumo \
    && install -d -o prumo -g prumo -m 0750 /var/lib/prumo

WORKDIR /app
COPY requirements.txt ./
# Every version and hash is in that file; a package that differs is refused.
RUN python -m pip install --require-hashes --no-deps -r requirements.txt

COPY . ./
RUN python -m compileall -q alembic core local sandbox ui workers

ENV PRUMO_HOST=0.0.0.0 \
    PRUMO_DATA=/var/lib/prumo
USER 10001:10001
VOLUME ["/var/lib/prumo"]
EXPOSE 8080 8081

# For the web page, which is what this starts when nothing else is said; docker-compose.yml says it for the others.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "local.healthy", "http://127.0.0.1:8080/"]
CMD ["python", "-m", "ui.main"]


FROM app AS scraper

USER 0:0
# The newest of the release, on purpose: a browser that reads strangers' pages must have its security fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends chromium-headless-shell libatomic1 fonts-liberation \
    && rm -rf /var/lib/apt/lists/*
ENV PRUMO_CHROMIUM=/usr/lib/chromium/chromium-headless-shell
USER 10001:10001

HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-m", "local.healthy", "worker"]
CMD ["python", "-m", "workers.run", "scraper"]
