#!/bin/sh
# The entry point of the image: gives a command its secrets, then becomes that command. Where NAME_FILE names a file (a
# Docker secret, for example), the variable NAME gets its content: secrets are in no image, `docker inspect` or `ps`.
#   docker run -e PGPASSWORD_FILE=/run/secrets/thinfile_password ... thinfile thinfile tune trials=40
set -eu
for name in PGPASSWORD MLFLOW_TRACKING_PASSWORD MLFLOW_TRACKING_TOKEN MLFLOW_AUTH_ADMIN_PASSWORD \
            MLFLOW_FLASK_SERVER_SECRET_KEY THINFILE_WEBHOOK_SECRET; do
  eval "file=\${${name}_FILE:-}"
  [ -n "$file" ] || continue
  value=$(cat "$file")
  [ -n "$value" ] || { echo "${name}_FILE: '$file' is empty; write the secret into it" >&2; exit 2; }
  export "$name=$value"
  unset "${name}_FILE"
done
exec "$@"
