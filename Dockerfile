# syntax=docker/dockerfile:1
# The exporter, for the chart in infra/kubernetes/chart. Needs nothing from the network but the npm registry.
FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Not `npm ci`: infra/install.mjs tells why; versions come from the lock file all the same. Scripts of dependencies are not run: what esbuild
# needs is a package of its own per platform.
RUN npm install --no-save --no-audit --no-fund --ignore-scripts
COPY . .
RUN node bin/build-exporter.mjs --out /app

FROM node:24-slim
ENV NODE_ENV=production
COPY --from=build /app /app
# No user of the base image: nothing of it belongs to this one, and the root file system may be read-only.
USER 65532:65532
# Metrics and probes; the audit webhook.
EXPOSE 9090 9443
STOPSIGNAL SIGTERM
# A small nursery and a heap that grows in small steps: V8 keeps whatever size it once had, and would take four times what is in use.
ENTRYPOINT ["node", "--max-semi-space-size=4", "--heap-growing-percent=50", "/app/export.mjs"]
