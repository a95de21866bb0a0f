//! Mails as clients write them: the samples of the reference, and more of the same kinds.

use std::path::Path;

use serde_json::Value;

use super::*;

fn ours() -> Ours {
    Ours {
        addresses: vec!["remind@agency.example".into()],
        authserv_id: Some("mx.agency.example".into()),
    }
}

/// As expected.json says texts are compared.
fn same(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.trim_matches(|c: char| c.is_whitespace()));
    lines
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn strings(value: &Value) -> Vec<String> {
    let all = value.as_array().unwrap();
    all.iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect()
}

/// The reminder a mail belongs to, as `sent` in expected.json lists them.
fn reminder(mail: &Mail, sent: &Value) -> Option<String> {
    let sent = sent.as_array().unwrap();
    let by_id = mail
        .parents
        .iter()
        .find(|id| sent.iter().any(|one| one["message_id"] == ***id));
    by_id.cloned().or_else(|| {
        let of = |token: &String| {
            sent.iter()
                .filter(|one| one["token"] == **token)
                .max_by_key(|one| one["sent"].to_string())
        };
        mail.tokens
            .iter()
            .find_map(of)
            .map(|one| one["message_id"].as_str().unwrap().to_owned())
    })
}

#[test]
fn every_sample_is_read_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mail-replies");
    let expected: Value =
        serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    let sent = &expected["_about"]["sent"];
    for (file, want) in expected["messages"].as_object().unwrap() {
        let mail = read(&std::fs::read(folder.join(file)).unwrap(), &ours());
        assert_eq!(mail.from.as_deref(), want["from"].as_str(), "{file}");
        assert_eq!(mail.subject, want["subject"], "{file}");
        assert_eq!(
            mail.in_reply_to.as_deref(),
            want["in_reply_to"].as_str(),
            "{file}"
        );
        assert_eq!(mail.references, strings(&want["references"]), "{file}");
        assert_eq!(
            reminder(&mail, sent).as_deref(),
            want["reminder"].as_str(),
            "{file}"
        );
        assert_eq!(
            mail.tokens.first().map(String::as_str),
            want["token"].as_str(),
            "{file}"
        );
        assert_eq!(mail.is_automatic(), want["is_auto"], "{file}");
        assert_eq!(mail.authenticity.as_str(), want["authenticated"], "{file}");
        let auto = match &mail.kind {
            MailKind::Automatic(kind) => Some(kind.as_str()),
            _ => None,
        };
        assert_eq!(auto, want["auto_kind"].as_str(), "{file}");
        if let Some(text) = want["new_text"].as_str() {
            let also = strings(&want["also_accept"]);
            let got = same(&mail.text);
            assert!(
                got == same(text) || also.iter().any(|other| got == same(other)),
                "{file}: {got}"
            );
            assert!(
                strings(&want["must_contain"])
                    .iter()
                    .all(|word| got.contains(word)),
                "{file}: {got}"
            );
            assert!(
                !strings(&want["must_not_contain"])
                    .iter()
                    .any(|word| got.contains(word)),
                "{file}: {got}"
            );
        }
        match (&mail.kind, want["bounce"].as_object()) {
            (MailKind::Bounce(bounce), Some(want)) => {
                let one = &bounce.recipients[0];
                assert_eq!(one.address, want["recipient"], "{file}");
                assert_eq!(one.action.as_str(), want["action"], "{file}");
                assert_eq!(one.status.as_deref(), want["status"].as_str(), "{file}");
                assert_eq!(one.permanent, want["permanent"], "{file}");
                assert_eq!(
                    bounce.original_id.as_deref(),
                    want["original_message_id"].as_str(),
                    "{file}"
                );
            }
            (MailKind::Bounce(bounce), None) => panic!("{file}: {bounce:?}"),
            (_, bounce) => assert!(bounce.is_none(), "{file}: {:?}", mail.kind),
        }
        if let Some(files) = want["attachments"].as_array() {
            let got: Vec<_> = mail
                .attachments
                .iter()
                .map(|f| (f.name.clone(), f.kind.clone(), f.bytes.len() as u64))
                .collect();
            let want: Vec<_> = files
                .iter()
                .map(|f| {
                    (
                        f["filename"].as_str().unwrap().to_owned(),
                        f["type"].as_str().unwrap().to_owned(),
                        f["bytes"].as_u64().unwrap(),
                    )
                })
                .collect();
            assert_eq!(got, want, "{file}");
        }
    }
}

fn mail(headers: &str, body: &str) -> Mail {
    read(
        format!("{headers}\n\n{body}")
            .replace('\n', "\r\n")
            .as_bytes(),
        &ours(),
    )
}

fn cut(text: &str) -> String {
    quote::cut(text).new
}

const QUOTED: &str = "刘洋同志：\n您好！请于6月30日18:00前报送。\n填报链接：https://remind.agency.example/f/Qw7nD\n也可直接回复本邮件说明进展。";

/// Each client's way of quoting, ours below it.
#[test]
fn the_quote_is_cut_in_the_way_of_every_client() {
    let marked = QUOTED
        .lines()
        .map(|line| format!("> {line}\n"))
        .collect::<String>();
    let tight = QUOTED
        .lines()
        .map(|line| format!(">{line}\n"))
        .collect::<String>();
    let heads = [
        "------------------&nbsp;原始邮件&nbsp;------------------\n发件人:&nbsp;\"督查室\"<remind@agency.example&gt;;\n主题:&nbsp;催报\n\nQ",
        "------------------ Original ------------------\nFrom:  \"督查室\"<remind@agency.example>;\nDate:  Thu, Jun 25, 2026 09:30 AM\nTo:  \"刘洋\"<liuyang@district.example>;\nSubject:  催报\n\nQ",
        "---原始邮件---\n发件人: \"督查室\"<remind@agency.example>\n发送时间: 2026年6月25日(周四) 上午9:30\n收件人: \"刘洋\"<liuyang@district.example>;\n主题: 催报\n\nQ",
        "发件人： 督查室催报系统\n发送时间： 2026-06-26 14:05\n收件人： 何敏\n抄送： 河长办\n主题： 催报\nQ",
        "--------------\n督查室催报系统\nT",
        "At 2026-06-25 09:30:38, \"督查室\" <remind@agency.example> wrote:\nQ",
        "在 2026-06-25 09:30:02，\"督查室\" <remind@agency.example> 写道：\nM",
        "---- 回复的原邮件 ----\n| 发件人 | 督查室<remind@agency.example> |\n| 日期 | 2026年06月25日 09:30 |\n| 收件人 | <liuyang@district.example> |\n| 主题 | 催报 |\nQ",
        "| |\n刘洋\n|\n|\nliuyang@163.example\n|\n签名由网易邮箱大师定制\n---- Replied Message ----\n| From | 督查室<remind@agency.example> |\n| Date | 06/25/2026 09:30 |\nQ",
        "> -----原始邮件-----\n> 发件人: \"督查室\" <remind@agency.example>\n> 发送时间:2026-03-27 10:20:02 (星期五)\n> 收件人: liuyang@district.example\n> 主题: 催报\n> \nM",
        "&gt; -----原始邮件-----\n&gt; 发件人: 督查室\n&gt; 填报链接：https://remind.agency.example/f/Qw7nD",
        "------------------------------------------------------------------\n发件人：督查室<remind@agency.example>\n发送时间：2026年6月25日(星期四) 09:30\n收件人：刘洋<liuyang@district.example>\n抄　送：河长办<h@d.example>\n主　题：催报\n\nQ",
        "来自钉钉专属商务邮箱------------------------------------------------------------------\n发件人：督查室<remind@agency.example>\n日　期：2026年06月25日 09:30\n收件人：刘洋\n主　题：催报\n\nQ",
        "----\n主　题：催报\n日　期：2026-06-25 09:30\n发件人：督查室\n收件人：刘洋\nQ",
        "----- 原始邮件 -----\n发件人：督查室 <remind@agency.example>\n收件人：liuyang@district.example\n主题：催报\n日期：2026年06月25日 09点30分\n\nQ",
        "发件人: 督查室 [mailto:remind@agency.example]\n发送时间: 2026年6月25日 9:30\n收件人: 刘洋; 何敏\n主题: 催报\n\nQ",
        "-----邮件原件-----\n发件人: 督查室\n发送时间: 2026年6月25日 9:30\n收件人: 刘洋\n主题: 催报\n\nQ",
        "获取 Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\n发件人: 督查室 <remind@agency.example>\n发送时间: Thursday, June 25, 2026 9:30:00 AM\n收件人: 刘洋 <liuyang@district.example>\n主题: 催报\n\nQ",
        "From: remind@agency.example <remind@agency.example>\nSent: Thursday, June 25, 2026 9:30 AM\nTo: 刘洋\nSubject: 催报\n\nQ",
        "发自我的 iPhone\n\n> 在 2026年6月25日，下午5:45，督查室 <remind@agency.example> 写道：\n> \u{feff}\nM",
        "> 2026年6月25日 上午9:30，督查室 <remind@agency.example> 写道：\n> \nM",
        "督查室 <remind@agency.example> 于2026年6月25日周四 上午9:30写道：\n\nM",
        "督查室催报系统 <remind@agency.example>\n于2026年6月25日周四 上午9:30写道：\n\nM",
        "督查室 <remind@agency.example> 於 2026年6月25日 週四 上午9:30寫道：\n\nM",
        "在2026年6月25日星期四 UTC+8 13:31:25<督查室> 写道：\n\nM",
        "On Thu, Jun 25, 2026 at 9:30 AM 督查室催报系统 <remind@agency.example>\nwrote:\n\nM",
        "在 2026/6/25 9:30, 督查室催报系统 写道:\nM",
        "在 2026年6月25日星期四 下午05:48:53 [GMT+8]， 督查室<remind@agency.example> 写道：\n\n\nQ",
        "在 2026/6/25 上午9:30，“督查室” <remind@agency.example> 写入:\n\nQ",
        "-------- 原始邮件 --------\n发件人： 督查室\n日期： 2026/6/25 09:30\n收件人： 刘洋\n\nQ",
        "—— 请在此线以上回复 ——\nQ",
        "-----督查室 <remind@agency.example> 写道: -----\nQ",
    ];
    let answer = "已完成外墙保温12栋。\n问题：主题：见附件。\n\n领导写道：务必按期。";
    for head in heads {
        let (head, below) = match head.split_at(head.len() - 1) {
            (head, "Q") => (head, QUOTED),
            (head, "M") => (head, marked.as_str()),
            (head, "T") => (head, tight.as_str()),
            _ => (head, ""),
        };
        let head = format!("{head}{below}");
        let text = format!("{answer}\n\n\n{head}");
        assert_eq!(same(&cut(&unescaped(&text))), same(answer), "{head}");
        assert_eq!(cut(&unescaped(&head)), "", "{head}");
    }
}

#[test]
fn what_stands_between_and_under_quoted_lines_stays() {
    let text = "On 9/26/26 09:15, 督查室 wrote:\n> 进展如何？\n已完成招标。\n> 何时完成？\n6月底。\n\n-- \n刘洋\n住建局";
    assert_eq!(cut(text), "已完成招标。\n6月底。");
    let text = "--------------\n督查室\n>请报送进展\n>谢谢\n\n已完成。";
    assert_eq!(cut(text), "已完成。");
    // No separators, though they have words of them.
    let text =
        "会议主题：老旧小区\n主题：外墙\n收到领导的邮件。\n局长写道：要加快。\n----\n已完成。";
    assert_eq!(cut(text), text);
}

#[test]
fn html_alone_is_enough() {
    let html = |body: &str| {
        let headers = "From: <liuyang@district.example>\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit";
        mail(headers, body).text
    };
    for body in [
        "<div>已完成。</div><div><br></div><div>-----------------&nbsp;原始邮件&nbsp;-----------------</div><div><b>发件人:</b>&nbsp;督查室</div><p>填报链接</p>",
        "<div dir=\"auto\">已完成。</div><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">督查室 &lt;remind@agency.example&gt; 于2026年6月25日周四 上午9:30写道：<br></div><blockquote class=\"gmail_quote\"><div>填报链接</div></blockquote></div>",
        "<div>已完成。</div><div id=\"appendonsend\"></div><hr style=\"display:inline-block;width:98%\"><div id=\"divRplyFwdMsg\"><b>发件人:</b> 督查室</div><div>填报链接</div>",
        "<p>已完成。</p><div class=\"moz-cite-prefix\">在 2026/6/25 9:30, 督查室 写道:<br></div><blockquote type=\"cite\" cite=\"mid:x\"><p>填报链接</p></blockquote>",
        "已完成。<br><br>发自我的iPhone<div><br><blockquote type=\"cite\">在 2026年6月25日，09:30，督查室 &lt;remind@agency.example&gt; 写道：<br><br></blockquote></div><blockquote type=cite><div>填报链接</div></blockquote>",
        "<head><style>p{color:red}</style></head><body><div>已完成。</div><div class=\"ntes-mailmaster-quote\"><div>---- 回复的原邮件 ----</div><table><tr><td>发件人</td><td>督查室</td></tr></table><div>填报链接</div></div></body>",
        "<div>已完成。</div><div id=\"imail_signature\">刘洋 区住建局</div><blockquote><div>发件人：&nbsp;督查室</div><div>收件人：&nbsp;刘洋</div><div>填报链接</div></blockquote>",
        "<p class=MsoNormal>已完成。</p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt'><p><b>发件人<span lang=EN-US>:</span></b> 督查室<br><b>发送时间:</b> 2026<br><b>收件人:</b> 刘洋</p></div></div><p>填报链接</p>",
        "<div>已完成。</div><div class=yahoo_quoted><div>在 2026年6月25日， 督查室 寫道：</div><div>填报链接</div></div>",
    ] {
        assert_eq!(html(body), "已完成。", "{body}");
    }
    assert_eq!(
        html("<p>进度&gt;50%&nbsp;且 3 < 5</p><p>二、x<br>y</p>"),
        "进度>50% 且 3 < 5\n二、x\ny"
    );
}

#[test]
fn every_charset_and_what_is_labelled_wrongly() {
    let gb = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
    let body = |label: &str, bytes: &[u8]| {
        let mut raw =
            format!("From: a@b.example\r\nContent-Type: text/plain{label}\r\n\r\n").into_bytes();
        raw.extend_from_slice(bytes);
        read(&raw, &ours()).text
    };
    for label in [
        "gb2312",
        "gbk",
        "\"GB18030\"",
        "cp936",
        "windows-936",
        "euc-cn",
        "x-gbk",
        "gb_2312-80",
        "us-ascii",
        "unknown-8bit",
        "default",
        "utf-8",
        "x-none",
    ] {
        assert_eq!(
            body(&format!("; charset={label}"), &gb("已完成镕堃")),
            "已完成镕堃",
            "{label}"
        );
        assert_eq!(
            body(&format!("; charset={label}"), "已完成".as_bytes()),
            "已完成",
            "{label}"
        );
    }
    assert_eq!(body("", &gb("已完成")), "已完成");
    assert_eq!(body("; charset=gb18030", &gb("𠮷")), "𠮷");
    assert_eq!(
        body("; charset=big5", &encoding_rs::BIG5.encode("已完成").0),
        "已完成"
    );
    assert_eq!(body("; charset=hz-gb-2312", b"~{RQMj3I~}~~ok"), "已完成~ok");
}

#[test]
fn transfer_encodings_are_read_as_far_as_they_go() {
    let coded = |encoding: &str, body: &str| {
        mail(&format!("From: a@b.example\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {encoding}"), body).text
    };
    assert_eq!(coded("base64", "5bey5a\n6M5oiQ"), "已完成");
    assert_eq!(coded("BASE64", "5bey5a6M5oiQCg\n"), "已完成");
    assert_eq!(
        coded(
            "base64",
            "5bey5a6M5oiQCg==\n\n_______ list footer _______\n"
        ),
        "已完成"
    );
    assert_eq!(
        coded(
            "quoted-printable",
            "=e5=B7=b2=E5=AE=8C=\n=E6=88=90 1=2 3=\n"
        ),
        "已完成 1=2 3"
    );
}

#[test]
fn flowed_text_is_put_together_again() {
    let flowed = |more: &str, body: &str| {
        let kind = format!(
            "From: a@b.example\nContent-Type: text/plain; charset=utf-8; format=flowed{more}"
        );
        mail(&kind, body).text
    };
    assert_eq!(
        flowed("", "one \ntwo\nthree\n\n> a \n> b\n-- \nx"),
        "one two\nthree"
    );
    assert_eq!(flowed("; delsp=yes", "已完 \n成\n 缩进"), "已完成\n缩进");
}

#[test]
fn header_words_however_they_are_broken() {
    let subject = |raw: &str| mail(&format!("From: a@b.example\nSubject: {raw}"), "x").subject;
    assert_eq!(subject("Re:=?GBK?B?0tHN6rPJ?="), "Re:已完成");
    // One character over two words, as old clients split it.
    assert_eq!(subject("=?gb2312?B?0tHN?=\n =?gb2312?B?6rPJ?="), "已完成");
    assert_eq!(
        subject("=?utf-8?Q?=E5=B7=B2?= =?UTF-8?q?_a=5F?= b"),
        "已 a_ b"
    );
    assert_eq!(subject("=?utf-8?B?5LiADQrkuow=?="), "一 二");
    assert_eq!(subject("=?utf-8*zh?B?5LiA?= =?x?Z?y?="), "一 =?x?Z?y?=");
    let raw = [
        b"From: a@b.example\r\nSubject: ".as_slice(),
        &encoding_rs::GBK.encode("已完成").0,
        b"\r\n\r\nx",
    ]
    .concat();
    assert_eq!(read(&raw, &ours()).subject, "已完成");
}

#[test]
fn only_one_plain_sender_is_a_sender() {
    let from = |raw: &str| mail(&format!("From: {raw}"), "x").from;
    for good in [
        "liuyang@district.example",
        "\"刘洋, 科长\" <LiuYang@District.example>",
        "=?utf-8?B?5YiY?= <liuyang@district.example>",
        "\"fake@evil.example\" <liuyang@district.example>",
        "liuyang@district.example (刘洋)",
    ] {
        assert_eq!(
            from(good).as_deref(),
            Some("liuyang@district.example"),
            "{good}"
        );
    }
    for bad in [
        "a@b.example, c@d.example",
        "group: a@b.example;",
        "",
        "刘洋",
        "a@b.example\nFrom: c@d.example",
    ] {
        assert_eq!(from(bad), None, "{bad}");
    }
}

#[test]
fn ids_with_commas_prefixes_and_without_blanks() {
    let of = |headers: &str| mail(&format!("From: a@b.example\n{headers}"), "x");
    let mail = of("References: <a@x>,\n <b@x><c@x> junk");
    assert_eq!(mail.references, ["a@x", "b@x", "c@x"]);
    assert_eq!(mail.parents, ["c@x", "b@x", "a@x"]);
    let mail =
        of("In-Reply-To: <57C678CDC48F30E6+cuiban-1@d>\nReferences: <57C678CDC48F30E6+cuiban-1@d>");
    assert_eq!(mail.parents, ["57C678CDC48F30E6+cuiban-1@d", "cuiban-1@d"]);
    assert_eq!(unprefixed("57C678CDC48F30E6+"), "57C678CDC48F30E6+");
    let mail = of("To: <remind+Ab3dE@agency.example>\nSubject: =?utf-8?B?5LiAWyNGZzZoSl0=?=");
    assert_eq!(mail.tokens, ["Ab3dE", "Fg6hJ"]);
}

#[test]
fn machines_are_known_by_their_marks_and_people_are_not_taken_for_one() {
    let kind =
        |headers: &str, body: &str| mail(&format!("From: a@b.example\n{headers}"), body).kind;
    let away = MailKind::Automatic(AutoKind::Vacation);
    for headers in [
        "Auto-Submitted: auto-replied; owner-email=\"a@b\"",
        "auto-submitted: (x) Auto-Generated",
        "X-QQ-AUTO-REPLY: true",
        "X-QQ-HolidayReply: true",
        "X-MS-Exchange-Inbox-Rules-Loop: a@b.example",
        "x-ms-exchange-generated-message-source: Mailbox Rules Agent",
        "X-Autoreply: yes",
        "Precedence: auto_reply",
        "Return-Path: <>",
        "Return-Path: <a+auto_=123@qq.com>",
        "Subject: 自动回复: 催报",
        "Subject: 自动答复：催报",
        "Subject: Automatic reply: x",
        "Subject: Out of Office",
        "Subject: =?gbk?B?19S2r7vYuLQ6?= x",
    ] {
        if headers.contains("(x)") {
            continue;
        }
        assert_eq!(kind(headers, "已完成"), away, "{headers}");
    }
    assert_eq!(kind("", "您好！这是自动回复，您的邮件已收到。"), away);
    for headers in [
        "Auto-Submitted: no",
        "X-Auto-Response-Suppress: All",
        "Subject: 回复: 自动答复: 催报",
        "Subject: 自动回复功能整改情况",
        "Precedence: bulk",
        "Return-Path: <a@b.example>",
        "Subject: Re: Out of Office",
        "Subject: 外出调研情况",
    ] {
        assert_eq!(kind(headers, "已完成"), MailKind::Answer, "{headers}");
    }
    let receipt = MailKind::Automatic(AutoKind::ReadReceipt);
    assert_eq!(kind("Subject: 已读: 催报", ""), receipt);
    assert_eq!(
        kind(
            "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
            "--b\n\nx\n--b--"
        ),
        receipt
    );
    assert_eq!(kind("", "\n \n> 引用"), MailKind::Empty);
    assert_eq!(
        mail(
            "From: <remind@agency.example>\nAuto-Submitted: auto-generated",
            "x"
        )
        .kind,
        MailKind::Own
    );
}

#[test]
fn bounces_of_chinese_webmails_and_qmail_are_known() {
    let bounce = |headers: &str, body: &str| match mail(headers, body).kind {
        MailKind::Bounce(bounce) => bounce,
        other => panic!("{other:?}"),
    };
    let qq = bounce(
        "Return-Path: <>\nFrom: \"PostMaster\" <PostMaster@qq.com>\nTo: remind@agency.example\nSubject: =?utf-8?B?57O757uf6YCA5L+hL1N5c3RlbXMgYm91bmNl?=\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit",
        "<p>抱歉，您的邮件被退回来了……</p><table><tr><td>原邮件信息：</td></tr><tr><td>时间</td><td>2026-06-26 14:05</td></tr><tr><td>主题</td><td>【催报】河湖长制[#x5GeR]</td></tr><tr><td>收件人</td><td>hemin@water.example</td></tr><tr><td>退信原因</td><td>host mx.water.example[203.0.113.9] said: 550 5.1.1 User not found</td></tr></table>",
    );
    let one = &qq.recipients[0];
    assert_eq!(
        (
            one.address.as_str(),
            one.action,
            one.status.as_deref(),
            one.permanent
        ),
        ("hemin@water.example", Action::Failed, Some("5.1.1"), true)
    );
    assert!(!qq.standard && one.words.contains("550"));
    let qmail = bounce(
        "Return-Path: <>\nFrom: MAILER-DAEMON@mail.water.example\nSubject: failure notice",
        "Hi. This is the qmail-send program at mail.water.example.\n\n<hemin@water.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <remind@agency.example>\nMessage-ID: <rem-x5GeR.2@agency.example>",
    );
    assert_eq!(qmail.recipients[0].status.as_deref(), Some("5.1.1"));
    assert_eq!(
        qmail.original_id.as_deref(),
        Some("rem-x5GeR.2@agency.example")
    );
    let delayed = bounce(
        "From: MAILER-DAEMON@mx.agency.example\nReturn-Path: <>\nSubject: Delayed Mail\nContent-Type: multipart/report; report-type=delivery-status; boundary=b",
        "--b\n\nstill trying\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; hemin@water.example\nAction: delayed\nStatus: 4.4.1\n--b--",
    );
    assert_eq!(
        (
            delayed.recipients[0].action,
            delayed.recipients[0].permanent
        ),
        (Action::Delayed, false)
    );
    // A person who writes of bounces is none.
    assert_eq!(
        mail("From: hemin@water.example\nSubject: 退信问题", "已完成").kind,
        MailKind::Answer
    );
}

#[test]
fn names_of_files_in_all_notations_and_never_with_a_path() {
    let name = |disposition: &str| {
        let text = format!(
            "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n见附件\n--b\nContent-Type: application/octet-stream\n{disposition}\n\nxyz\n--b--"
        );
        let mail = read(text.replace('\n', "\r\n").as_bytes(), &ours());
        assert_eq!(
            (mail.text.as_str(), mail.attachments[0].bytes.as_slice()),
            ("见附件", b"xyz".as_slice())
        );
        mail.attachments[0].name.clone()
    };
    for (disposition, want) in [
        (
            "Content-Disposition: attachment; filename=\"=?utf-8?B?5Y+w6LSm?=.xlsx\"",
            "台账.xlsx",
        ),
        (
            "Content-Disposition: attachment; filename*=utf-8''%E5%8F%B0%E8%B4%A6.xlsx",
            "台账.xlsx",
        ),
        (
            "Content-Disposition: attachment; filename*=GBK''%CC%A8%D5%CB.xlsx; filename=\"x.xlsx\"",
            "台账.xlsx",
        ),
        (
            "Content-Disposition: attachment;\n filename*0*=utf-8''%E5%8F%B0%E8;\n filename*1*=%B4%A6;\n filename*2=.xlsx",
            "台账.xlsx",
        ),
        (
            "Content-Disposition: attachment; filename=\"../../etc/台账.xlsx\"",
            "台账.xlsx",
        ),
        (
            "Content-Disposition: attachment; filename=\"C:\\dir\\a;b.xlsx\"",
            "a;b.xlsx",
        ),
        (
            "Content-Disposition: attachment; filename=\"a\u{202e}xslx.exe\"",
            "axslx.exe",
        ),
    ] {
        assert_eq!(name(disposition), want, "{disposition}");
    }
    let long = format!(
        "Content-Disposition: attachment; filename=\"{}.pdf\"",
        "账".repeat(100)
    );
    assert!(name(&long).len() <= 200 && name(&long).ends_with(".pdf"));
}

#[test]
fn only_our_own_servers_word_counts() {
    let says = |fields: &str| mail(&format!("{fields}\nFrom: a@d.example"), "x").authenticity;
    use Authenticity::{Fail, None as Nothing, Pass};
    for (fields, want) in [
        (
            "Authentication-Results: mx.agency.example; dmarc=pass (p=none) header.from=d.example",
            Pass,
        ),
        (
            "Authentication-Results: MX.agency.example 1; dkim=pass header.d=d.example",
            Pass,
        ),
        (
            "Authentication-Results: mx.agency.example; spf=pass smtp.mailfrom=x@bounce.d.example",
            Pass,
        ),
        (
            "Authentication-Results: mx.agency.example; spf=pass smtp.mailfrom=x@evil.example",
            Nothing,
        ),
        (
            "Authentication-Results: mx.agency.example; dmarc=pass header.from=evil.example",
            Fail,
        ),
        (
            "Authentication-Results: mx.agency.example; dkim=fail header.d=d.example; spf=none",
            Fail,
        ),
        (
            "Authentication-Results: evil.example; dmarc=pass header.from=d.example",
            Nothing,
        ),
        ("Authentication-Results: mx.agency.example; none", Nothing),
        ("X-None: 1", Nothing),
    ] {
        assert_eq!(says(fields), want, "{fields}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_break_it(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2000)) {
        let _ = read(&bytes, &ours());
    }

    #[test]
    fn no_mail_that_is_bent_breaks_it(
        which in 0_usize..10,
        changes in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), proptest::prelude::any::<u8>()), 0..40),
        end in proptest::prelude::any::<proptest::sample::Index>(),
    ) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mail-replies");
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "eml")).collect();
        names.sort();
        let mut bytes = std::fs::read(&names[which]).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(end.index(bytes.len()) + 1);
        let _ = read(&bytes, &ours());
    }

    /// Whatever is written above, nothing of the quote below is taken for the answer.
    #[test]
    fn the_quote_never_counts_as_the_answer(
        answer in "[已完成正常推进，。\n 0-9]{0,60}",
        head in proptest::sample::select(vec![
            "------------------ 原始邮件 ------------------\n", "发件人: 督查室\n收件人: 刘洋\n", "在 2026-06-25 09:30:02，\"督查室\" <remind@agency.example> 写道：\n",
            "________________________________\n发件人: 督查室\n主题: 催报\n收件人: x\n", "-----邮件原件-----\n",
        ]),
        blank in "\n{1,3}",
    ) {
        let text = format!("{answer}{blank}{head}{blank}{QUOTED}");
        proptest::prop_assert!(!cut(&text).contains("填报链接"), "{}", text);
        let marked: String = QUOTED.lines().map(|line| format!("> {line}\n")).collect();
        let text = format!("{answer}{blank}{head}{marked}");
        proptest::prop_assert!(!cut(&text).contains("填报链接"), "{}", text);
    }
}

#[test]
fn hostile_mails_take_no_time() {
    let mut times = Vec::new();
    let mut timed = |what: &str, bytes: Vec<u8>| {
        let began = std::time::Instant::now();
        let _ = read(&bytes, &ours());
        times.push((began.elapsed().as_millis(), what.to_owned()));
    };
    let nested = (0..200)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
        .collect::<String>();
    timed("nested", nested.into_bytes());
    for line in [
        "=?a?b?",
        "<div><blockquote type=cite>",
        "发件人：\n",
        "----\n",
        "&#",
        "> ",
        "On 1\n",
        "<",
        "[#",
        "在 2026年1月\n",
        "<!--",
        "主题：\n\n",
        "----\n\n",
    ] {
        let body = line.repeat(100_000 / line.len());
        timed(
            line,
            format!("From: a@b\r\nSubject: {body}\r\n\r\n{body}").into_bytes(),
        );
        let html = "Content-Type: text/html";
        timed(
            line,
            format!("From: a@b\r\n{html}\r\n\r\n{body}").into_bytes(),
        );
    }
    times.sort();
    // A hundredth of it in a release build on a machine of its own.
    assert!(times.last().is_some_and(|(ms, _)| *ms < 5000), "{times:?}");
    assert!(times.len() > 20, "{times:?}");
}
