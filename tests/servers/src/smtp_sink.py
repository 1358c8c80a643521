"""A mail server that writes what it gets, a line of JSON each: python sink.py PORT IDENTIFIER FILE."""

import asyncio
import collections
import email
import email.policy
import json
import os
import re
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

port, identifier, file = sys.argv[1:]
refused = collections.Counter()


def keep(answer, sender, recipients, message=None):
    headers = [[name.lower(), str(value)] for name, value in message.items()] if message else []
    body = message.get_body(("plain", "html")) if message else None
    text = body.get_content() if body else ""
    with open(file, "a") as lines:
        lines.write(json.dumps({"answer": answer, "from": sender, "to": recipients, "headers": headers, "text": text}) + "\n")


class Sink:
    async def handle_RCPT(self, server, session, envelope, address, options):
        refusal = None
        greylist = re.match(r"greylist(\d*)", address)
        if address.startswith("bounce"):
            refusal = "550 5.1.1 no such user"
        elif greylist and (not greylist[1] or refused[address] < int(greylist[1])):
            refused[address] += 1
            refusal = "451 4.7.1 come again later"
        if refusal:
            keep(int(refusal[:3]), envelope.mail_from, [address])
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        lost = any(address.startswith("lost") for address in envelope.rcpt_tos)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        keep(0 if lost else 250, envelope.mail_from, envelope.rcpt_tos, message)
        if lost:
            server.transport.abort()
        return "250 2.0.0 kept"


def authenticate(server, session, envelope, mechanism, data):
    given = (data.login.decode(), data.password.decode())
    # Not handled: the answer is the server's to give.
    return AuthResult(success=given == (os.environ["SINK_NAME"], os.environ["SINK_PASSWORD"]), handled=False)


def options():
    if "SINK_CERTIFICATE" in os.environ:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(os.environ["SINK_CERTIFICATE"], os.environ["SINK_KEY"])
        yield from {"tls_context": tls, "require_starttls": True}.items()
    if "SINK_NAME" in os.environ:
        yield from {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}.items()


async def main():
    serve = lambda: SMTP(Sink(), hostname=identifier, enable_SMTPUTF8=True, **dict(options()))
    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", int(port))
    await server.serve_forever()


asyncio.run(main())
