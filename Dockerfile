# One image for web, workers and the set-up job; what it does is its command (compose.yaml, deploy/helm).
FROM python:3.13-slim-bookworm AS build
WORKDIR /srv/slipway
COPY requirements.txt constraints.txt ./
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir -r requirements.txt
COPY scripts/extract_schema.py scripts/
COPY simulator simulator
RUN /opt/venv/bin/python scripts/extract_schema.py

FROM python:3.13-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SLIPWAY_VAR=/var/lib/slipway HOST=0.0.0.0 DEMO_ACCOUNTS=0
WORKDIR /srv/slipway
RUN useradd --system --uid 10001 --home-dir /var/lib/slipway --create-home slipway
COPY --from=build /opt/venv /opt/venv
COPY . .
COPY --from=build /srv/slipway/simulator/core/kube/api/data simulator/core/kube/api/data
# files with hashed names are part of the image: every web process and nginx serve the same
RUN SECRET_KEY=build python manage.py collectstatic --no-input -v0 && python -m compileall -q coursesite lessons simulator \
    && chown -R slipway /var/lib/slipway
USER slipway
EXPOSE 8000
ENTRYPOINT ["python", "-m", "coursesite"]
CMD ["web"]
