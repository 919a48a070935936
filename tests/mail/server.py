"""A real SMTP server that insists on STARTTLS and on sign-in: server.py CERTIFICATE KEY PORT USER PASSWORD.

Every mail that it takes is written to standard output as one line of JSON: its envelope, headers and decoded text.
Mailboxes whose name begins with "refused" are answered with 550, with "later" with 451.
"""
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

certificate, key, port, user, password = sys.argv[1:]


class Mailboxes:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return "550 there is no such mailbox"
        if address.startswith("later"):
            return "451 the mailbox is busy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(json.dumps({
            "mail": envelope.rcpt_tos,
            "sender": envelope.mail_from,
            "tls": session.ssl is not None,
            "authenticated": session.authenticated,
            "defects": [str(defect) for defect in message.defects],
            "headers": [[name, str(value)] for name, value in message.items()],
            "text": message.get_content(),
        }), flush=True)
        return "250 taken"


def sign_in(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == user.encode() and data.password == password.encode()
    return AuthResult(success=good, handled=False)


def session():
    return SMTP(Mailboxes(), hostname="mail.test", tls_context=context, require_starttls=True, auth_required=True,
                authenticator=sign_in)


async def serve():
    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", int(port))
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
asyncio.run(serve())
