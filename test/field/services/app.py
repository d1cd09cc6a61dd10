"""A service as many are: FastAPI, SQLAlchemy's pool, hvac. It reads its login from Vault when it starts."""

import json
import os
import threading
import time
from datetime import datetime, timezone

import hvac
import psycopg
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from sqlalchemy import URL, create_engine, text

SETTINGS = json.load(open(os.environ["SETTINGS"]))
started_at = datetime.now(timezone.utc).isoformat()


def read_login():
    vault = SETTINGS["vault"]
    place = {"url": vault["address"], "namespace": vault.get("namespace"), "verify": vault.get("ca", True)}
    client = hvac.Client(token=vault["token"], **place)

    def value(path):
        answer = client.secrets.kv.v2.read_secret_version(
            mount_point=vault["mount"], path=path, raise_on_deleted_version=True
        )
        return answer["data"]["data"]["value"]

    while True:
        try:
            return value(vault["username"]), value(vault["password"])
        except (hvac.exceptions.VaultDown, hvac.exceptions.InternalServerError):
            time.sleep(0.2)


user, password = read_login()


def connection_of(path):
    # Without prepared statements, which PgBouncer of Debian 12 does not pass on.
    place = {"host": path["host"], "port": path["port"], "dbname": path["database"], "prepare_threshold": None}
    return {**place, **path.get("options", {})}


def engine_of(path):
    url = URL.create("postgresql+psycopg", user, password)
    return create_engine(url, connect_args=connection_of(path), pool_size=3, max_overflow=2, pool_pre_ping=True)


engines = {name: engine_of(path) for name, path in SETTINGS["paths"].items()}


def try_logins():
    """A new login over each path, twenty times a second, as a line of the file of attempts."""
    with open(SETTINGS["attempts"], "a", buffering=1) as file:
        while True:
            for name, path in SETTINGS["paths"].items():
                attempt = {"t": time.time(), "path": name, "user": user}
                try:
                    psycopg.connect(
                        user=user, password=password, connect_timeout=5, **connection_of(path)
                    ).close()
                except psycopg.Error as error:
                    attempt["error"] = str(error).strip().splitlines()[-1]
                file.write(json.dumps(attempt) + "\n")
            time.sleep(0.05)


app = FastAPI()


@app.get("/health")
def health():
    try:
        for engine in engines.values():
            with engine.connect() as connection:
                connection.execute(text("select count(*) from positions"))
    except Exception as error:  # Whatever it is, the service cannot work.
        return JSONResponse({"status": "unhealthy", "error": type(error).__name__}, status_code=503)
    return {"status": "healthy", "started_at": started_at, "user": user}


threading.Thread(target=try_logins, daemon=True).start()
uvicorn.run(app, host=SETTINGS["address"], port=SETTINGS["port"], log_level="warning")
