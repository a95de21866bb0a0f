"""A mail client for the tests: answers a mail and leaves the answer in a mailbox by IMAP.
Usage: mail_client.py PORT ORIGINAL_FILE TEXT [HEADER: VALUE]...   The account is duban, secret.
Quotes the way QQ Mail does, in gb18030."""

import email
import email.policy
import imaplib
import sys
import time
from email.message import EmailMessage
from email.utils import formatdate

port, original, text = int(sys.argv[1]), sys.argv[2], sys.argv[3]
with open(original, "rb") as file:
    parent = email.message_from_binary_file(file, policy=email.policy.default)

quoted = parent.get_body(("plain",)).get_content()
body = (
    f"{text}\n\n\n------------------&nbsp;原始邮件&nbsp;------------------\n"
    f'发件人:&nbsp;"督查科"<duban@example.invalid&gt;;\n'
    f"发送时间:&nbsp;2022年3月17日(星期四) 上午9:10\n"
    f"主题:&nbsp;{parent['Subject']}\n\n{quoted}"
)
answer = EmailMessage()
answer["From"] = parent["To"]
answer["To"] = parent["From"]
answer["Subject"] = "回复：" + parent["Subject"]
answer["Date"] = formatdate()
answer["Message-ID"] = f"<tencent_{time.time_ns():X}@qq.com>"
# The relay put its own digits before our id.
answer["In-Reply-To"] = parent["Message-ID"].replace("<", "<57C678CDC48F30E6+", 1)
for header in sys.argv[4:]:
    name, value = header.split(": ", 1)
    del answer[name]
    answer[name] = value
answer.set_content(body, charset="gb18030", cte="base64")

box = imaplib.IMAP4("127.0.0.1", port)
box.login("duban", "secret")
state, said = box.append("INBOX", "", None, answer.as_bytes(policy=email.policy.SMTP))
assert state == "OK", said
box.logout()
print(answer["Message-ID"])
