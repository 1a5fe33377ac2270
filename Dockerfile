# The page and the service, as one user without rights: docker build -t lenet . && docker run -p 8000:8000 -e LENET_TOKEN=... lenet
FROM python:3.12-slim AS build
# The compiler is of the image's own release, and stays out of the result.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
COPY . /src
RUN python -m venv /opt/lenet \
    && /opt/lenet/bin/pip install --no-cache-dir --require-hashes --requirement /src/pinned.txt \
    && /opt/lenet/bin/pip install --no-cache-dir --no-deps /src

FROM python:3.12-slim
COPY --from=build /opt/lenet /opt/lenet
RUN useradd --create-home --uid 1000 lenet
USER 1000
WORKDIR /home/lenet
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["/opt/lenet/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["/opt/lenet/bin/lenet", "serve", "--host", "0.0.0.0", "--port", "8000"]
