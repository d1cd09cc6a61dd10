"""A bot of a chat server: it reads its access token from Vault when it starts, and holds it."""

import hashlib
import json
import os
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from urllib.parse import quote

import hvac
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse

SETTINGS = json.load(open(os.environ["SETTINGS"]))
started_at = datetime.now(timezone.utc).isoformat()


def read_token():
    vault = SETTINGS["vault"]
    client = hvac.Client(url=vault["address"], token=vault["token"])
    answer = client.secrets.kv.v2.read_secret_version(
        mount_point=vault["mount"], path=SETTINGS["token"], raise_on_deleted_version=True
    )
    return answer["data"]["data"]["value"]


token = read_token()
holds = hashlib.sha256(token.encode()).hexdigest()[:8]


def ask(method, path, body=None):
    request = urllib.request.Request(
        SETTINGS["chat"] + "/_matrix/client/v3" + path,
        method=method,
        headers={"Authorization": "Bearer " + token},
        data=None if body is None else json.dumps(body).encode(),
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def attempt(path, work):
    line = {"t": time.time(), "path": path, "user": holds}
    try:
        work()
    except urllib.error.HTTPError as error:
        line["error"] = f"HTTP {error.code} {error.read()[:200].decode(errors='replace')}"
    except Exception as error:
        line["error"] = f"no answer: {type(error).__name__}"
    return line


def talk():
    """Sends a message and asks who it is, ten times a second, as lines of the file of attempts."""
    room = quote(SETTINGS["room"], safe="")
    with open(SETTINGS["attempts"], "a", buffering=1) as file:
        while True:
            message = {"msgtype": "m.text", "body": "a fill"}
            send = f"/rooms/{room}/send/m.room.message/{time.time_ns()}"
            for line in (
                attempt("send", lambda: ask("PUT", send, message)["event_id"]),
                attempt("whoami", lambda: ask("GET", "/account/whoami")["user_id"]),
            ):
                file.write(json.dumps(line) + "\n")
            time.sleep(0.1)


app = FastAPI()


@app.get("/health")
def health():
    asked = attempt("whoami", lambda: ask("GET", "/account/whoami")["user_id"])
    if "error" in asked:
        return JSONResponse({"status": "unhealthy", "error": asked["error"]}, status_code=503)
    return {"status": "healthy", "started_at": started_at, "user": holds}


threading.Thread(target=talk, daemon=True).start()
uvicorn.run(app, host=SETTINGS["address"], port=SETTINGS["port"], log_level="warning")
