"""A job that cron starts: it reads its login from Vault each time, and works with it for a moment."""

import json
import os
import time

import hvac
import psycopg

SETTINGS = json.load(open(os.environ["SETTINGS"]))
vault, path = SETTINGS["vault"], SETTINGS["paths"]["primary"]
client = hvac.Client(url=vault["address"], token=vault["token"])


def value(at):
    answer = client.secrets.kv.v2.read_secret_version(
        mount_point=vault["mount"], path=at, raise_on_deleted_version=True
    )
    return answer["data"]["data"]


def login():
    # Two values are two reads: they belong together if the pipeline's mark beside them is the same.
    while True:
        user, password = value(vault["username"]), value(vault["password"])
        if user.get("generation") == password.get("generation"):
            return user["value"], password["value"]
        time.sleep(0.2)


user, password = login()
attempt = {"t": time.time(), "path": "primary", "user": user}
try:
    place = {"host": path["host"], "port": path["port"], "dbname": path["database"], **path.get("options", {})}
    with psycopg.connect(user=user, password=password, application_name="nightly", **place) as connection:
        connection.execute("select count(*) from positions")
except psycopg.Error as error:
    attempt["error"] = str(error).strip().splitlines()[-1]
with open(SETTINGS["attempts"], "a") as file:
    file.write(json.dumps(attempt) + "\n")
