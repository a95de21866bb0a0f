//! What people read of it.

use super::*;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn way(name: &str, key: &'static str, tried: Tried) -> Way {
    Way {
        name: name.into(),
        key,
        tried,
    }
}

fn mail(tried: Tried) -> Way {
    way("电子邮件", "email.host", tried)
}

fn rights() -> Rights {
    Rights {
        folder: "/var/lib/cuiban".into(),
        owner: "cuiban".into(),
        open: false,
        strange: None,
        unseen: None,
        open_socket: None,
    }
}

fn well() -> Seen {
    Seen {
        running: true,
        store: Stored::Open {
            facts: 1234,
            healed: 0,
            aside: Vec::new(),
            verified: false,
        },
        disk: Some(Disk {
            free: 51_200,
            full: false,
        }),
        rights: Some(rights()),
        backup: Backup::Last {
            shown: "2022年3月17日 02:30".into(),
            hours: 6,
        },
        restored: None,
        out: vec![
            mail(Tried::Works(Some(day(2023, 3, 1)))),
            way("企业微信群机器人“督查群”", "wecom.base_url", Tried::SetUp),
        ],
        page: Page {
            url: "https://duban.example.gov.cn".into(),
            named: true,
            local: false,
            answer: Some(Answer::Ours(Some(day(2022, 6, 1)))),
        },
        mailbox: Some(Tried::Works(None)),
        callback: true,
        time: Time {
            shown: "2022年3月17日 09:10".into(),
            simulated: false,
            leapt: false,
        },
        kept: Kept::Yes,
        today: day(2022, 3, 17),
        holidays: (true, false),
        people: People::Known {
            all: 155,
            without: 0,
        },
        font: Some("Noto Sans CJK SC".into()),
    }
}

fn shown(line: &Line) -> String {
    let Line {
        name,
        state,
        text,
        next,
    } = line;
    format!("{} {name}：{text}｜{next}", state.chinese())
}

fn told(seen: &Seen) -> String {
    let all: Vec<String> = lines(seen).iter().map(shown).collect();
    all.join("\n")
}

#[test]
fn everything_is_well() {
    assert!(lines(&well()).iter().all(|line| line.state == State::Well));
    insta::assert_snapshot!("well", told(&well()));
}

#[test]
fn a_new_server_is_told_what_to_do_first() {
    let new = Seen {
        running: false,
        store: Stored::Nothing,
        backup: Backup::Off,
        out: vec![way("写入文件", "spool.path", Tried::SetUp)],
        page: Page {
            url: "http://127.0.0.1:8780".into(),
            named: false,
            local: true,
            answer: None,
        },
        mailbox: None,
        callback: false,
        people: People::NoPlan,
        disk: None,
        rights: None,
        kept: Kept::Unknown,
        holidays: (false, false),
        ..well()
    };
    assert!(lines(&new).iter().all(|line| line.state != State::Broken));
    insta::assert_snapshot!("new", told(&new));
}

#[test]
fn every_fault_says_what_to_do() {
    let ill = Seen {
        store: Stored::Damaged {
            what: "镜像：故障，第1至2号记录完好，000001.jsonl第3行（第812字节起）：校验码不符"
                .into(),
            next: mend(true).to_owned(),
        },
        backup: Backup::Last {
            shown: "2022年3月14日 02:30".into(),
            hours: 78,
        },
        restored: Some("2022年3月16日 02:30".into()),
        out: vec![mail(Tried::Failed(
            "登录：535 authentication failed".into(),
        ))],
        page: Page {
            answer: Some(Answer::Other(502)),
            ..well().page
        },
        mailbox: Some(Tried::Failed("连接不上收信服务器".into())),
        time: Time {
            leapt: true,
            ..well().time
        },
        today: day(2022, 12, 1),
        people: People::Known {
            all: 155,
            without: 3,
        },
        font: None,
        ..well()
    };
    insta::assert_snapshot!("ill", told(&ill));
    let config = config(Err("cuiban.toml 第2行：email.prot 没有这一项"));
    assert_eq!(config.state, State::Broken);
    for line in lines(&ill).iter().chain([&config]) {
        assert!(
            line.state == State::Well || !line.next.is_empty(),
            "{line:?}"
        );
    }
    let unreached = Seen {
        backup: Backup::None,
        page: Page {
            local: true,
            named: true,
            url: "http://localhost:8780".into(),
            answer: None,
        },
        time: Time {
            simulated: true,
            ..well().time
        },
        store: Stored::Open {
            facts: 9,
            healed: 2,
            aside: Vec::new(),
            verified: true,
        },
        ..well()
    };
    insta::assert_snapshot!("unreached", told(&unreached));
}

/// Everything that can be wrong with a peer, and whom it concerns.
#[test]
fn whoever_cannot_be_reached_is_told_apart() {
    let host = || "smtp.example.gov.cn".to_owned();
    let site = || "duban.example.gov.cn".to_owned();
    let wrong_name = || Distrust::WrongName(vec!["mail.example.com".into(), "*.b.cn".into()]);
    let mails = [
        Tried::Works(Some(day(2022, 4, 1))),
        Tried::Works(Some(day(2022, 3, 31))),
        Tried::Works(Some(day(2022, 3, 17))),
        Tried::Unresolved(host()),
        Tried::Distrusted(host(), Distrust::Expired(Some(day(2022, 3, 1)))),
        Tried::Distrusted(host(), Distrust::NotYet),
        Tried::Distrusted(host(), wrong_name()),
        Tried::Distrusted(host(), Distrust::UnknownIssuer),
        Tried::Distrusted(host(), Distrust::Other("BadEncoding".into())),
    ];
    let apps = [Some("203.0.113.9".to_owned()), None].map(Tried::NotListed);
    let pages = [
        Answer::Ours(Some(day(2022, 3, 18))),
        Answer::Unresolved(site()),
        Answer::Distrusted(site(), Distrust::Expired(None)),
        Answer::Distrusted(site(), wrong_name()),
        Answer::Distrusted(site(), Distrust::UnknownIssuer),
        Answer::None("connection refused".into()),
    ];
    let mut text = String::new();
    let mut show = |seen: &Seen, name: &str| {
        let told = told(seen);
        let line = told.lines().find(|line| line.contains(name)).unwrap();
        text.push_str(&line.replace('｜', "\n  → "));
        text.push('\n');
    };
    let with = |out| Seen {
        out: vec![out],
        ..well()
    };
    for tried in mails {
        show(&with(mail(tried)), "电子邮件：");
    }
    for tried in apps {
        show(
            &with(way("企业微信应用", "wecom.base_url", tried)),
            "企业微信应用：",
        );
    }
    for answer in pages {
        let page = Page {
            answer: Some(answer),
            ..well().page
        };
        show(&Seen { page, ..well() }, "填报网页：");
    }
    insta::assert_snapshot!("peers", text);
}

#[test]
fn what_is_wrong_with_the_machine_is_told_with_the_line_to_type() {
    let strange = Owned {
        count: 3,
        example: "db/conf".into(),
        owner: "root".into(),
    };
    let rights = [
        Rights {
            strange: Some(strange),
            ..rights()
        },
        Rights {
            open: true,
            ..rights()
        },
        Rights {
            open_socket: Some("/run/cuiban/cuiban.sock".into()),
            ..rights()
        },
        Rights {
            unseen: Some("/var/lib/cuiban：没有权限".into()),
            ..rights()
        },
    ];
    let disks = [(120, true), (1800, false), (300_000, false)];
    let mut all: Vec<Line> = rights.iter().map(machine::rights).collect();
    let stores = [
        Stored::Broken("存储目录“/var/lib/cuiban”正由另一个 cuiban 进程使用".into()),
        Stored::Damaged {
            what: "镜像：故障，…；存储：故障，…".into(),
            next: mend(false).to_owned(),
        },
        Stored::Damaged {
            what: "标记：故障，FORMAT 不见了；镜像：正常，…；存储：正常，…".into(),
            next: mark_anew(Some("echo '…' >/var/lib/cuiban/FORMAT && chown …")),
        },
        Stored::Damaged {
            what: "标记：故障，FORMAT 不见了；…".into(),
            next: mark_anew(None),
        },
        Stored::Open {
            facts: 9,
            healed: 0,
            aside: vec!["mirror.quarantine-20220317T010000Z".into()],
            verified: false,
        },
    ];
    all.extend(stores.iter().map(store::store));
    all.extend(disks.map(|(free, full)| machine::disk(Disk { free, full })));
    all.push(machine::font(None));
    all.push(time::clock(&well().time, Kept::No));
    let text: Vec<String> = all.iter().map(shown).collect();
    insta::assert_snapshot!("machine", text.join("\n"));
}

#[test]
fn whether_the_clock_is_kept_is_told_only_where_somebody_knows() {
    for (said, signed, kept) in [
        (Some("yes\n"), false, Kept::Yes),
        // Set once, and its servers are out of reach since.
        (Some("no\n"), true, Kept::No),
        (None, true, Kept::Yes),
        (None, false, Kept::Unknown),
        (Some(""), false, Kept::Unknown),
        (Some("n/a"), true, Kept::Yes),
    ] {
        assert_eq!(Kept::seen(said, signed), kept, "{said:?} {signed}");
    }
    // A clock that is not the machine's, or has leapt, is not for time servers to keep.
    for (simulated, leapt) in [(true, false), (false, true)] {
        let clock = Time {
            simulated,
            leapt,
            ..well().time
        };
        assert_eq!(
            time::clock(&clock, Kept::No),
            time::clock(&clock, Kept::Yes)
        );
    }
}
