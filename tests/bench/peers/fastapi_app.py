"""FastAPI with PyJWT: checks what our daemons check, anew for each request. KEY names the public key's file."""
import os
import pathlib

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import PlainTextResponse
from fastapi.security import HTTPBearer

KEY = load_pem_public_key(pathlib.Path(os.environ["KEY"]).read_bytes())
app, bearer = FastAPI(), HTTPBearer()


async def user(credentials=Depends(bearer)):
    try:
        return jwt.decode(credentials.credentials, KEY, algorithms=["RS256"], audience="tasker-api", issuer="tasker-core",
                          options={"require": ["exp", "sub"]})
    except jwt.PyJWTError:
        raise HTTPException(401) from None


@app.get("/v1/whoami", response_class=PlainTextResponse)
async def whoami(_=Depends(user)):
    return "hello world\n"
