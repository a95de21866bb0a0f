"""A real SMTP server (aiosmtpd) for the tests: takes every message and appends it to a file, one
JSON object a line. Usage: smtp_server.py PORT FILE [MILLISECONDS_PER_MESSAGE]"""

import asyncio
import json
import sys

from aiosmtpd.smtp import SMTP


class Keeper:
    def __init__(self, path, pause):
        self.file = open(path, "a", encoding="utf-8")
        self.pause = pause

    async def handle_DATA(self, server, session, envelope):
        if self.pause:
            await asyncio.sleep(self.pause)
        record = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "raw": envelope.content.decode("utf-8", "surrogateescape"),
        }
        # Written before the answer: what was acknowledged is in the file.
        self.file.write(json.dumps(record) + "\n")
        self.file.flush()
        return "250 2.0.0 taken"


async def main():
    port, path = int(sys.argv[1]), sys.argv[2]
    pause = int(sys.argv[3]) / 1000 if len(sys.argv) > 3 else 0
    keeper = Keeper(path, pause)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(keeper, enable_SMTPUTF8=False, hostname="sink.invalid", loop=loop),
        "127.0.0.1",
        port,
    )
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(main())
