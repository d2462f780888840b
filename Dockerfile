FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/ullage \
 && /opt/ullage/bin/pip install --no-cache-dir . \
 && /opt/ullage/bin/python -m models.warm

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data ullage && install -d -o ullage -g ullage /data
COPY --from=build /opt/ullage /opt/ullage
ENV PATH=/opt/ullage/bin:$PATH ULLAGE_DATA=/data PYTHONUNBUFFERED=1
USER ullage
VOLUME /data
EXPOSE 8000 1883
ENTRYPOINT ["ullage"]
CMD ["serve"]
