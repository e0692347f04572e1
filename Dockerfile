# The proxy pod as an image of its own. Not needed to use intercept: `intercept install` runs the stock image and brings
# the program along (docs/installing.md). First: npm ci, which writes dist/.
ARG NODE_IMAGE=node:24-alpine
FROM ${NODE_IMAGE}
COPY --chown=root:root --chmod=0444 LICENSE dist/proxy-pod.js /app/
RUN mv /app/proxy-pod.js /app/proxy-pod.mjs
ENV NODE_ENV=production
WORKDIR /app
# Any user will do, with a read-only root file system and without capabilities.
USER 1000:1000
EXPOSE 8443
ENTRYPOINT ["node", "/app/proxy-pod.mjs"]
