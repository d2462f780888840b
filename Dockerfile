FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/ullage \
 && /opt/ullage/bin/pip install --no-cache-dir .

FROM python:3.11-slim
# The first start compiles the decisions into ~/.cache, in the volume: the image itself is read-only.
RUN useradd --system --uid 10001 --home-dir /data ullage && install -d -o ullage -g ullage /data
COPY --from=build /opt/ullage /opt/ullage
ENV PATH=/opt/ullage/bin:$PATH ULLAGE_DATA=/data PYTHONUNBUFFERED=1
USER ullage
VOLUME /data
EXPOSE 8000 1883
ENTRYPOINT ["ullage"]
CMD ["serve"]
