-- The databases and roles of compose.yaml; the image of PostgreSQL runs this file once, on an empty volume. A role owns its
-- databases and sees no others. psql reads the passwords from files.
\set ON_ERROR_STOP on
\set thinfile_password `cat /run/secrets/thinfile_password`
\set mlflow_password `cat /run/secrets/mlflow_password`

create role thinfile login password :'thinfile_password';
create role mlflow login password :'mlflow_password';
create database thinfile owner thinfile;
create database mlflow owner mlflow;
create database mlflow_auth owner mlflow;
revoke all on database thinfile, mlflow, mlflow_auth from public;
