#!/bin/sh
# Makes the secrets of compose.yaml in the folder secrets/ beside this file, once; what exists stays as it is.
#   ./make_secrets.sh
# The folder is closed to others. The files in it are readable, because each container reads them as a user of its own.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
for name in postgres_password thinfile_password mlflow_password mlflow_admin_password mlflow_secret_key grafana_password; do
  [ -s "secrets/$name" ] || head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' > "secrets/$name"
done
# Written by hand later: the API key of Prometheus, and the address of a webhook of Slack or Teams.
touch secrets/prometheus_key secrets/chat_url
chmod 644 secrets/*
