"""A mail server for a test: `smtp.py none|starttls|tls [CERT KEY]`.

Prints its port, then a JSON line for each mail. Where it protects itself it also asks for a log-in: `ada`, `s3cret`.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Keep:
    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "mail": envelope.content.decode(),
            "tls": bool(session.ssl) or mode == "tls",
            "user": (session.auth_data.login.decode() if session.auth_data else None),
        }
        print(json.dumps(mail), flush=True)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    right = data.login == b"ada" and data.password == b"s3cret"
    return AuthResult(success=right, handled=False, auth_data=data)


mode = sys.argv[1]
context = None
if mode != "none":
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[2], sys.argv[3])


def session():
    protected = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": mode == "starttls"}
    return SMTP(
        Keep(),
        hostname="mail.test",
        tls_context=context if mode == "starttls" else None,
        require_starttls=mode == "starttls",
        **(protected if mode != "none" else {}),
    )


async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if mode == "tls" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(serve())
