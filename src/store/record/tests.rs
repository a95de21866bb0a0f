use super::*;

/// One entry for every kind, with every optional part somewhere.
fn every_fact() -> Vec<Entry> {
    use crate::domain::delegation::*;
    use crate::domain::delivery::*;
    use crate::domain::evidence::{Evidence, FileHash, FileKind};
    use crate::domain::fact::*;
    use crate::domain::heard::*;
    use crate::domain::ids::*;
    use crate::domain::ladder::*;
    use crate::domain::mail::*;
    use crate::domain::message::*;
    use crate::domain::paper::{Paper, PaperKind};
    use crate::domain::people::*;
    use crate::domain::plan::*;
    use crate::domain::report::*;
    use crate::domain::request::*;
    use crate::domain::token;
    use crate::domain::user::{Profile, Role, Sight, UsedCode};
    use chrono::{NaiveDate, NaiveTime, TimeDelta};

    let plan = PlanId::new("dongguan-2022").unwrap();
    let begun = plan.clone();
    let quarter = Quarter::new(2022, 1).unwrap();
    let person = PersonId::of("市市场监管局", "杜江");
    let day = NaiveDate::from_ymd_opt(2022, 3, 31).unwrap();
    let at = DateTime::from_timestamp(1_647_479_400, 123_000_000).unwrap();
    let owner = PersonRef {
        id: person.clone(),
        name: "杜江".into(),
    };
    let item = ObligationKey {
        plan: plan.clone(),
        quarter,
        task: 16,
        group: 0,
    };
    let key = |occasion| MessageKey {
        plan: plan.clone(),
        quarter,
        occasion,
        person: person.clone(),
    };
    let notice = key(Occasion::Stage(Stage::Notice));
    let test = key(Occasion::Test(2));
    let failed = |next| {
        SendOutcome::Failed(Failure {
            reason: FailReason::TryLater,
            detail: "451 4.7.1 请稍后再试".into(),
            next,
        })
    };
    let concluded = |outcome, verdict| Fact::SendConcluded {
        key: notice.clone(),
        outcome,
        verdict,
    };
    let reported = item.clone();
    let photograph = Evidence {
        sha256: FileHash::new(&"5a".repeat(32)).unwrap(),
        name: "现场照片.jpg".into(),
        kind: FileKind::Jpeg,
        bytes: 1_234_567,
    };
    let mail = |outcome| Fact::MailTaken {
        mail: Box::new(TakenMail {
            sha256: "ab".repeat(32),
            message_id: Some("tencent_6C1E@qq.com".into()),
            place: Some(Place {
                validity: 7,
                uid: 41,
            }),
            from: "dujiang@scjg.example".into(),
            subject: "回复：重点工作进展".into(),
            text: "16 已完成".into(),
            files: vec!["台账.xlsx".into()],
            unkept: Vec::new(),
            kept: vec![photograph.clone()],
            thread: Some(Thread {
                plan: plan.clone(),
                quarter,
                person: person.clone(),
            }),
            outcome,
            receipt: Some(1),
        }),
    };
    let facts = vec![
        Fact::PlanImported {
            plan: plan.clone(),
            heading: Heading {
                title: "2022年东莞市政府工作报告重点工作分解表".into(),
                year: 2022,
                issuer: Some("市政府办公室".into()),
                issued_on: NaiveDate::from_ymd_opt(2022, 1, 27),
            },
            source: "dongguan-2022.txt".into(),
            sha256: "ab".repeat(32),
            accepted: 1,
            units: Vec::new(),
        },
        Fact::PersonSet {
            plan: Some(plan.clone()),
            person: Person {
                id: person.clone(),
                name: "杜江".into(),
                unit: "市市场监管局".into(),
                roles: Roles {
                    owner: true,
                    ..Roles::default()
                },
            },
        },
        Fact::TaskSet {
            plan: plan.clone(),
            task: Box::new(Task {
                no: 16,
                goal: "扎实推进市场主体培育。".into(),
                requirement: Some("(五)激发市场活力".into()),
                leaders: vec!["刘光滨".into()],
                lead_units: vec!["市市场监管局".into()],
                responsible: vec!["张永忠".into()],
                direct_owners: vec!["杜江".into()],
                assisting_units: vec!["市财政局".into()],
                groups: vec![Group {
                    unit: "市市场监管局".into(),
                    responsible: vec![],
                    owners: vec![owner.clone()],
                    leaders: vec![owner],
                }],
                schedule: "一季度，印发方案。".into(),
                milestones: vec![Milestone {
                    section: Some("市市场监管局".into()),
                    unit: None,
                    kind: MilestoneKind::Due,
                    first_quarter: quarter,
                    last_quarter: quarter,
                    due: day,
                    content: "印发方案“\"引号\"”\n换行".into(),
                }],
            }),
        },
        Fact::TaskRemoved {
            plan: plan.clone(),
            task: 16,
        },
        Fact::DeadlinesSet {
            plan: plan.clone(),
            deadlines: vec![(day, at)],
            assumed_years: vec![2023],
        },
        Fact::ContactSet {
            contact: Contact {
                person: person.clone(),
                title: Some("科长".into()),
                mobile: Some("13800000000".into()),
                email: Some("du@example.invalid".into()),
                wecom_user: Some("dujiang".into()),
                channels: ChannelKind::ALL.to_vec(),
                note: Some("备注".into()),
            },
        },
        Fact::StageRun {
            plan: plan.clone(),
            quarter,
            stage: Stage::Due,
            outcome: StageOutcome::Ran {
                expected: 155,
                queued: 150,
                skipped: 5,
            },
        },
        Fact::StageRun {
            plan: plan.clone(),
            quarter,
            stage: Stage::Notice,
            outcome: StageOutcome::Skipped {
                why: SkipWhy::FoldedInto {
                    stage: Stage::Reminder,
                },
                expected: 155,
            },
        },
        Fact::MessageQueued {
            message: Box::new(Message {
                key: notice.clone(),
                reason: Reason::FirstNotice,
                items: vec![item.clone()],
                about: vec![item.clone()],
                copied: vec![person.clone()],
                catch_up: true,
                route: vec![ChannelKind::Email, ChannelKind::WecomRobot],
                not_before: at,
                explicit: true,
            }),
        },
        Fact::MessageSkipped {
            key: key(Occasion::Digest(day)),
            why: SkipWhy::TooLate { working_days: 12 },
        },
        Fact::MessageSkipped {
            key: key(Occasion::Settled(day)),
            why: SkipWhy::Unreachable,
        },
        Fact::MessageDeferred {
            key: key(Occasion::Urge(2)),
            until: at,
            why: DeferWhy::QuietHours,
        },
        Fact::MessageWithdrawn {
            key: notice.clone(),
            why: WithdrawWhy::Superseded {
                by: Occasion::Stage(Stage::Reminder),
            },
        },
        Fact::MessageWithdrawn {
            key: notice.clone(),
            why: WithdrawWhy::Reported,
        },
        Fact::SendIntended {
            key: notice.clone(),
            leg: 0,
            channel: ChannelKind::Email,
            items: vec![item.clone()],
        },
        concluded(
            SendOutcome::Sent {
                answer: "250 2.0.0 Ok: queued as 4XyZ".into(),
            },
            Verdict::Done,
        ),
        concluded(
            failed(Next::Again {
                after: Some(TimeDelta::seconds(300)),
            }),
            Verdict::Again { at, leg: 0 },
        ),
        concluded(failed(Next::Again { after: None }), Verdict::Dead),
        concluded(failed(Next::NextChannel), Verdict::Again { at, leg: 1 }),
        concluded(
            failed(Next::StopChannel {
                pause: TimeDelta::hours(1),
            }),
            Verdict::Dead,
        ),
        concluded(
            SendOutcome::InDoubt {
                detail: "应答超时".into(),
            },
            Verdict::Held,
        ),
        Fact::MessageRevived {
            key: notice.clone(),
            at,
        },
        Fact::ReportReceived {
            report: Box::new(Report {
                obligation: item.clone(),
                person: person.clone(),
                delegate: None,
                via: Via::Form,
                status: ReportStatus::Behind,
                progress: "已完成八成".into(),
                problems: "用地指标不足".into(),
                next_steps: "协调落实".into(),
                percent: Some(80),
                actuals: Vec::new(),
            }),
        },
        Fact::ReviewGiven {
            obligation: item.clone(),
            review: Review::Returned {
                reason: "请补充佐证材料".into(),
            },
        },
        Fact::ReviewGiven {
            obligation: item.clone(),
            review: Review::Accepted,
        },
        Fact::LinksRevoked {
            plan: plan.clone(),
            quarter,
            person: person.clone(),
        },
        Fact::UserAdded {
            name: "王科长".into(),
            profile: Profile::new(Role::Coordinator),
            password_hash: "$argon2id$v=19$x".into(),
            temporary: false,
        },
        Fact::PasswordSet {
            name: "王科长".into(),
            password_hash: "$argon2id$v=19$y".into(),
            temporary: false,
        },
        Fact::UserDisabled {
            name: "王科长".into(),
        },
        Fact::SignedIn {
            name: "王科长".into(),
        },
        // What came later stands behind, so that the lines before stay as they are.
        Fact::ColumnsMapped {
            plan: plan.clone(),
            columns: vec!["负责同志=直接责任人".into()],
        },
        Fact::MessageSkipped {
            key: key(Occasion::TakenOver(2)),
            why: SkipWhy::Unreachable,
        },
        Fact::MessageSkipped {
            key: key(Occasion::HandedOver(2)),
            why: SkipWhy::Unreachable,
        },
        Fact::LadderSet {
            plan: begun,
            quarter,
            ladder: Box::new(Ladder {
                stages: vec![StageRule {
                    stage: Stage::Overdue,
                    working_days: 1,
                    time: NaiveTime::from_hms_opt(9, 10, 0).unwrap(),
                    copied: Copied {
                        responsible: true,
                        leaders: true,
                        coordinators: false,
                    },
                    channels: vec![ChannelKind::Email],
                    template: Some("strict".into()),
                }],
            }),
        },
        Fact::AccountLearned {
            person: person.clone(),
            account: Some("dujiang".into()),
        },
        Fact::AccountLearned {
            person: person.clone(),
            account: None,
        },
        Fact::CardSent {
            key: notice.clone(),
            code: "response-code".into(),
        },
        Fact::CardSettled {
            key: notice.clone(),
            failed: None,
        },
        Fact::CardSettled {
            key: notice.clone(),
            failed: Some("42045 said".into()),
        },
        Fact::MessageHandled {
            key: notice.clone(),
        },
        Fact::AddressConfirmed {
            person: person.clone(),
            channel: ChannelKind::Email,
        },
        Fact::AlarmRaised {
            alarm: "channel/email".into(),
            words: "电子邮件已停止发送".into(),
        },
        Fact::AlarmCleared {
            alarm: "channel/email".into(),
        },
        Fact::ClockDoubted {
            expected: at,
            found: at + TimeDelta::days(365),
        },
        Fact::ClockAgreed,
        Fact::MessageWithdrawn {
            key: test,
            why: WithdrawWhy::AlarmOver,
        },
        mail(MailOutcome::Reported {
            items: vec![reported.clone()],
            left: Some("第15项没有写明进展情况".into()),
        }),
        mail(MailOutcome::Acknowledged),
        mail(MailOutcome::Unclear {
            why: "没有写明是哪一项".into(),
        }),
        mail(MailOutcome::Automatic),
        mail(MailOutcome::Bounced {
            person: person.clone(),
            detail: "550 no such user".into(),
            bad: true,
        }),
        mail(MailOutcome::Ignored),
        Fact::MailSettled {
            mail: "ab".repeat(32),
            unkept: vec![("现场.mp4".into(), "不是可以接收的文件，没有收下".into())],
        },
        Fact::CardTapped {
            key: notice.clone(),
            code: "another-code".into(),
        },
        Fact::Acknowledged {
            obligations: vec![item.clone()],
            person: person.clone(),
        },
        Fact::WordHeard {
            heard: Heard {
                name: "msg-7512345678901234567".into(),
                account: "dujiang".into(),
                said: Said::Typed {
                    text: "16 已完成".into(),
                },
            },
        },
        Fact::WordHeard {
            heard: Heard {
                name: "tap-0123456789abcdef".into(),
                account: "dujiang".into(),
                said: Said::Tapped {
                    card: "cuiban-0123-1".into(),
                    button: "completed".into(),
                    chosen: Some("16-0".into()),
                    code: "code".into(),
                },
            },
        },
        Fact::WordHeard {
            heard: Heard {
                name: "msg-1".into(),
                account: "dujiang".into(),
                said: Said::Other {
                    kind: "voice".into(),
                },
            },
        },
        Fact::WordSettled {
            heard: 7,
            meaning: Meaning::Unclear,
            answer: Some(Answer {
                text: "没有读懂".into(),
                page: Some(Thread {
                    plan: plan.clone(),
                    quarter,
                    person: person.clone(),
                }),
            }),
        },
        Fact::WordAnswered {
            heard: 7,
            failed: None,
        },
        Fact::WordResolved { heard: 7 },
        Fact::EvidenceAdded {
            obligation: item.clone(),
            person: person.clone(),
            evidence: photograph,
        },
        Fact::EvidenceRemoved {
            obligation: item.clone(),
            person: person.clone(),
            sha256: FileHash::new(&"5a".repeat(32)).unwrap(),
        },
        Fact::PutOffStageRun {
            plan: plan.clone(),
            quarter,
            day,
            stage: Stage::Overdue,
            outcome: StageOutcome::Ran {
                expected: 1,
                queued: 1,
                skipped: 0,
            },
        },
        Fact::MessageSkipped {
            key: key(Occasion::PutOff(Stage::Overdue, day)),
            why: SkipWhy::OverBudget,
        },
        Fact::MessageSkipped {
            key: key(Occasion::Returned(2)),
            why: SkipWhy::Unreachable,
        },
        Fact::MessageWithdrawn {
            key: key(Occasion::Decided(3)),
            why: WithdrawWhy::PutOff,
        },
        Fact::ExtensionAsked {
            obligation: reported.clone(),
            person: person.clone(),
            ask: ExtensionAsk {
                day,
                reason: "评审推迟".into(),
                late: true,
            },
        },
        Fact::ExtensionDecided {
            obligation: reported.clone(),
            word: ExtensionWord::Granted {
                day,
                until: at,
                note: "请抓紧".into(),
            },
        },
        Fact::ExtensionDecided {
            obligation: reported.clone(),
            word: ExtensionWord::Refused {
                reason: "请先报已完成的部分".into(),
            },
        },
        Fact::NotMineSaid {
            obligation: reported.clone(),
            person: person.clone(),
            other: OtherOwner {
                name: "王五".into(),
                unit: "市科技局".into(),
                telephone: Some("13800000000".into()),
                note: "已调岗".into(),
            },
        },
        Fact::NotMineSettled {
            obligation: reported.clone(),
            word: NotMineWord::Moved,
        },
        Fact::NotMineSettled {
            obligation: reported.clone(),
            word: NotMineWord::Theirs {
                note: "已核对".into(),
            },
        },
        Fact::OwnerChanged {
            plan: plan.clone(),
            duties: vec![(16, 0), (17, 1)],
            from: person.clone(),
            to: PersonRef {
                id: PersonId::of("市科技局", "王五"),
                name: "王五".into(),
            },
        },
        Fact::Delegated {
            delegation: Delegation {
                from: person.clone(),
                to: PersonId::of("市科技局", "王五"),
                scope: Scope::Items {
                    plan: plan.clone(),
                    duties: vec![(16, 0)],
                },
            },
        },
        Fact::Delegated {
            delegation: Delegation {
                from: person.clone(),
                to: PersonId::of("市科技局", "王五"),
                scope: Scope::Acting {
                    begins: at,
                    ends: at + TimeDelta::days(7),
                },
            },
        },
        Fact::DelegationEnded { delegation: 60 },
        Fact::SummaryWritten {
            plan: plan.clone(),
            quarter,
            task: 16,
            person: person.clone(),
            text: "各单位均按进度推进。".into(),
        },
        Fact::StoreRestored { backed_up: at },
        Fact::SendingResumed { not_before: at },
        Fact::Viewed {
            page: crate::domain::access::Page::Person,
            subject: "dongguan-2022/市市场监管局/杜江".into(),
        },
        Fact::Exported {
            export: crate::domain::access::Export::Bulletin,
            subject: "dongguan-2022 2022Q1".into(),
        },
        Fact::UserAdded {
            name: "刘市长".into(),
            profile: Profile {
                role: Role::Viewer,
                sight: Sight::Leader("刘光滨".into()),
                subject: Some("8f14e45f".into()),
            },
            password_hash: String::new(),
            temporary: true,
        },
        Fact::UserChanged {
            name: "刘市长".into(),
            profile: Profile::new(Role::Viewer),
        },
        Fact::PasswordSet {
            name: "刘市长".into(),
            password_hash: "$argon2id$v=19$z".into(),
            temporary: true,
        },
        Fact::UserEnabled {
            name: "王科长".into(),
        },
        Fact::SignInFailed {
            name: Some("王科长".into()),
            times: 3,
        },
        Fact::SignInFailed {
            name: None,
            times: 1,
        },
        Fact::SessionsEnded {
            name: "王科长".into(),
        },
        Fact::SecondFactorSet {
            name: "王科长".into(),
            sealed: "c2VhbGVk".into(),
            used: 55_000_000,
            recovery: vec!["ab".repeat(32)],
        },
        Fact::CodeUsed {
            name: "王科长".into(),
            code: UsedCode::Step(55_000_001),
        },
        Fact::CodeUsed {
            name: "王科长".into(),
            code: UsedCode::Recovery("ab".repeat(32)),
        },
        Fact::SecondFactorReset {
            name: "王科长".into(),
        },
        Fact::TokenMade {
            id: "0123456789".into(),
            name: "OA系统".into(),
            scopes: vec![token::Scope::BoardRead, token::Scope::Export],
            sight: Sight::Leader("刘光滨".into()),
            sha256: "cd".repeat(32),
            expires: at,
        },
        Fact::TokenUsed {
            id: "0123456789".into(),
        },
        Fact::TokenRevoked {
            id: "0123456789".into(),
        },
        Fact::PaperIssued {
            paper: Paper {
                kind: PaperKind::UrgeSlip,
                plan: plan.clone(),
                quarter,
                to: "市市场监管局".into(),
            },
            year: 2022,
            number: 3,
        },
        Fact::HolidaysSet {
            year: 2027,
            file: "2027.json".into(),
            notice: Box::new(crate::domain::holidays::YearNotice {
                off: [("2027-01-01".parse().unwrap(), "元旦".into())].into(),
                worked: ["2027-01-31".parse().unwrap()].into(),
            }),
        },
    ];
    let actors = [
        Actor::System,
        Actor::User(r#"坏",\"fact":{,"prev":"名"#.into()),
        Actor::Operator,
        Actor::Owner(person),
    ];
    (1..)
        .zip(facts)
        .zip(actors.into_iter().cycle())
        .map(|((position, fact), by)| Entry {
            position,
            at,
            by,
            fact,
        })
        .collect()
}

fn lines(entries: &[Entry]) -> Vec<Vec<u8>> {
    let mut hash = [0; 32];
    let write = |entry| {
        let mut line = Vec::new();
        hash = write_line(entry, &hash, &mut line).unwrap();
        line
    };
    entries.iter().map(write).collect()
}

#[test]
fn every_kind_comes_back_as_it_was() {
    let entries = every_fact();
    let mut prev = [0; 32];
    for (entry, line) in entries.iter().zip(lines(&entries)) {
        let checked = check_line(&line).unwrap();
        assert_eq!((checked.position, checked.prev), (entry.position, prev));
        assert_eq!(&read_line(&line).unwrap(), entry);
        prev = checked.hash;
    }
    let text: String = lines(&entries)
        .into_iter()
        .map(|line| String::from_utf8(line).unwrap())
        .collect();
    for (kind, _) in fact::KINDS {
        assert!(text.contains(&format!(r#""kind":"{kind}""#)), "{kind}");
    }
}

/// What a release wrote must be read for ever. Where this fails after a change, the change needs a
/// new version of the kind, not a new file. New kinds stand behind those of the files.
#[test]
fn the_golden_bytes_of_every_release_are_read_and_written_alike() {
    let stores = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stores");
    let written: Vec<u8> = lines(&every_fact()).join(&b'\n');
    if std::env::var_os("CUIBAN_GOLDEN").is_some() {
        let ours = format!("{stores}/{}", env!("CARGO_PKG_VERSION"));
        std::fs::create_dir_all(&ours).unwrap();
        let bytes = [written.as_slice(), b"\n"].concat();
        std::fs::write(format!("{ours}/facts.jsonl"), bytes).unwrap();
    }
    let releases = std::fs::read_dir(stores).unwrap();
    let releases = releases.map(|entry| entry.unwrap().path().join("facts.jsonl"));
    for path in releases.filter(|path| path.exists()) {
        let golden = std::fs::read(&path).unwrap();
        let golden = golden.strip_suffix(b"\n").unwrap();
        let read: Vec<Entry> = golden
            .split(|byte| *byte == b'\n')
            .map(|line| read_line(line).unwrap())
            .collect();
        assert_eq!(read, every_fact()[..read.len()], "{}", path.display());
        assert!(written.starts_with(golden), "{}", path.display());
    }
}

#[test]
fn a_figure_is_kept_with_the_target_it_was_said_to() {
    use crate::domain::target::{self, actual::Actual};
    let mut entry = every_fact()
        .into_iter()
        .find(|entry| matches!(entry.fact, Fact::ReportReceived { .. }))
        .unwrap();
    if let Fact::ReportReceived { report } = &mut entry.fact {
        let targets = target::read("失业率控制在3%以内，累计新增技能人才2万人次");
        report.actuals = targets
            .iter()
            .filter_map(|target| Actual::read(target, "1.8").ok().flatten())
            .collect();
        assert_eq!(report.actuals.len(), 2);
    }
    let line = lines(&[entry.clone()]).concat();
    assert_eq!(read_line(&line).unwrap(), entry);
    let text = String::from_utf8(line).unwrap();
    assert!(
        text.contains(r#""quantity":"18000","text":"1.8万人次""#),
        "{text}"
    );
}

#[test]
fn what_another_system_did_is_told_from_what_a_user_did() {
    let mut entry = every_fact().remove(0);
    entry.by = Actor::Token("OA系统:甲".into());
    let line = lines(&[entry.clone()]).concat();
    assert_eq!(read_line(&line).unwrap(), entry);
}

#[test]
fn any_flipped_bit_is_seen() {
    for line in lines(&every_fact()) {
        for at in (0..line.len()).step_by(7) {
            let mut bad = line.clone();
            bad[at] ^= 1 << (at % 8);
            assert!(check_line(&bad).is_err(), "byte {at}");
        }
    }
}

#[test]
fn a_later_releases_record_is_refused_by_name() {
    let later = br#"{"v":1,"kind":"extension.granted","until":"2022-04-30"}"#;
    let newer = br#"{"v":2,"kind":"report.received"}"#;
    for (bytes, name) in [
        (&later[..], "extension.granted"),
        (newer, "report.received"),
    ] {
        let error = read_fact(bytes).unwrap_err().at("第7号记录");
        assert!(matches!(error, StoreError::Refused(_)));
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_field_of_a_later_release_does_no_harm() {
    let line = br#"{"v":1,"kind":"user.signed_in","name":"admin","from":"10.0.0.1"}"#;
    assert!(matches!(read_fact(line), Ok(Fact::SignedIn { .. })));
}

proptest::proptest! {
    #[test]
    fn any_text_and_time_come_back(
        name in ".*",
        seconds in 0_i64..4_000_000_000,
        nanos in 0_u32..1_000_000_000,
        position in 1_u64..u64::MAX,
    ) {
        let entry = Entry {
            position,
            at: DateTime::from_timestamp(seconds, nanos).unwrap(),
            by: Actor::User(name.clone()),
            fact: Fact::SignedIn { name },
        };
        let line = lines(std::slice::from_ref(&entry)).remove(0);
        proptest::prop_assert_eq!(check_line(&line).unwrap().position, position);
        proptest::prop_assert_eq!(read_line(&line).unwrap(), entry);
    }
}
