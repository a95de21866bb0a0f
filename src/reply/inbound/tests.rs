//! A mail becomes a report only where everything fits.

use std::collections::VecDeque;
use std::sync::Arc;

use super::*;
use crate::channel::render;
use crate::desk::Desk;
use crate::desk::fixture::*;
use crate::domain::brief::{message_name, subject_token};
use crate::domain::message::Occasion;
use crate::domain::people::{ChannelKind, Contact};
use crate::domain::report::{ReportStatus, Via};
use crate::reply::mail::Ours;
use crate::reply::mailbox::{Listed, Mailbox, Reader};

const OWN: &str = "duban@dg.example";

fn contact(person: (&str, &str), address: &str) -> Fact {
    let contact = Contact {
        email: Some(address.into()),
        ..Contact::none(id(person))
    };
    Fact::ContactSet { contact }
}

/// Everybody has had a notice by mail about task 4 (and 2).
async fn reminded() -> Arc<Desk> {
    remind(planned().await).await
}

async fn remind(desk: Arc<Desk>) -> Arc<Desk> {
    let people = [ZHANG, YAO, LI, DU, ZHONG];
    let contacts = people.iter().zip(["zhang", "yao", "li", "du", "zhong"]);
    let facts = contacts
        .map(|(person, name)| contact(*person, &format!("{name}@dg.example")))
        .collect();
    append(&desk, "2022-02-08T09:00", facts).await;
    append(
        &desk,
        "2022-03-17T09:10",
        notice(&people, &[key(2, 0), key(4, 0)]),
    )
    .await;
    desk
}

fn reader(desk: &Arc<Desk>, folder: &std::path::Path, authserv_id: Option<&str>) -> Reader {
    let ours = Ours {
        addresses: vec![OWN.into()],
        authserv_id: authserv_id.map(str::to_owned),
    };
    Reader::new(Arc::clone(desk), folder.to_owned(), ours)
}

fn notice_id(person: (&str, &str)) -> String {
    format!("<cuiban-{}@dg.example>", message_name(&message_key(person)))
}

fn answer(person: (&str, &str), from: &str, id: &str, more: &str, text: &str) -> Vec<u8> {
    let parent = notice_id(person);
    format!("From: <{from}>\r\nTo: <{OWN}>\r\nSubject: Re: x\r\nMessage-ID: <{id}@client.example>\r\nIn-Reply-To: {parent}\r\n{more}\r\n{text}\r\n\r\n在 2022-03-17 09:10:02，\"督查科\" <{OWN}> 写道：\r\n张玉成同志：\r\n已完成").into_bytes()
}

async fn take(desk: &Arc<Desk>, bytes: Vec<u8>) -> MailOutcome {
    take_with(desk, None, bytes).await
}

async fn take_with(desk: &Arc<Desk>, authserv_id: Option<&str>, bytes: Vec<u8>) -> MailOutcome {
    let folder = tempfile::tempdir().unwrap();
    let place = Place {
        validity: 1,
        uid: desk.ledger.book().mailbox.map_or(1, |place| place.uid + 1),
    };
    let listed = Listed {
        place,
        arrived: None,
        size: 0,
    };
    reader(desk, folder.path(), authserv_id)
        .take(bytes, Some(listed))
        .await
        .unwrap();
    let book = desk.ledger.book();
    assert_eq!(book.mailbox, Some(place));
    book.mails.values().last().unwrap().mail.outcome.clone()
}

fn why(outcome: MailOutcome) -> String {
    match outcome {
        MailOutcome::Unclear { why } => why,
        other => panic!("{other:?}"),
    }
}

fn receipts(desk: &Desk) -> usize {
    let book = desk.ledger.book();
    book.messages
        .keys()
        .filter(|key| matches!(key.occasion, Occasion::Receipt(_)))
        .count()
}

#[tokio::test]
async fn an_answer_by_mail_is_on_record_once_and_thanked_once() {
    let desk = reminded().await;
    let first = answer(
        ZHANG,
        "zhang@dg.example",
        "a1",
        "",
        "4 已完成，已为3家企业提供咨询。",
    );
    let outcome = take(&desk, first.clone()).await;
    assert_eq!(
        outcome,
        MailOutcome::Reported {
            items: vec![key(4, 0)],
            left: None
        }
    );
    {
        let book = desk.ledger.book();
        let report = &book.obligations[&key(4, 0)].latest().unwrap().report;
        assert_eq!(
            (report.via, report.status),
            (Via::Mail, ReportStatus::Completed)
        );
        assert_eq!(report.progress, "已完成，已为3家企业提供咨询。");
        assert_eq!(report.person, id(ZHANG));
        let works = &book.addresses[&(id(ZHANG), ChannelKind::Email)];
        assert!(works.confirmed.is_some());
    }
    assert_eq!(receipts(&desk), 1);
    // The same mail again, and a copy of it in another wrapping.
    let before = desk.ledger.book().obligations[&key(4, 0)].reports.len();
    assert_eq!(take(&desk, first.clone()).await, MailOutcome::Ignored);
    let copy = answer(ZHANG, "zhang@dg.example", "a1", "X-Other: 1\r\n", "4 滞后");
    assert_eq!(take(&desk, copy).await, MailOutcome::Ignored);
    assert_eq!(
        desk.ledger.book().obligations[&key(4, 0)].reports.len(),
        before
    );
    assert_eq!(receipts(&desk), 1);
}

#[tokio::test]
async fn the_receipt_says_what_was_understood_in_the_thread_of_the_answer() {
    let desk = reminded().await;
    let text = "4 已完成，已为3家企业提供咨询。\r\n2 见附件";
    take(&desk, answer(ZHANG, "zhang@dg.example", "a1", "", text)).await;
    let letter = receipt_letter(&desk, |brief| {
        let answers = brief.receipt.as_ref().unwrap().answers.as_deref();
        assert_eq!(answers, Some("a1@client.example"));
    });
    insta::assert_snapshot!("receipt", letter);
}

/// The letter of thanks that was queued.
fn receipt_letter(desk: &Desk, look: impl FnOnce(&crate::domain::brief::Brief)) -> String {
    let book = desk.ledger.book();
    let message = book
        .messages
        .values()
        .find(|known| matches!(known.message.key.occasion, Occasion::Receipt(_)))
        .unwrap();
    let office = crate::domain::brief::Office {
        name: "市政府督查科".into(),
        telephone: Some("0769-22830000".into()),
        board: None,
        reads_mail: true,
    };
    let order = crate::domain::brief::Order {
        message: &message.message,
        items: &[],
        about: &[],
        now: at("2022-03-28T10:00"),
        link: "https://duban.example/r/X",
        calendar: None,
        office: &office,
    };
    let brief = crate::domain::brief::compose(&book, &calendar(), order);
    look(&brief);
    let letter = render::letter(&brief).unwrap();
    format!("{}\n\n{}", letter.subject, letter.text)
}

/// An answer on task 4 with a PDF and a program beside it.
fn with_files() -> Vec<u8> {
    files_and("4 已完成，台账见附件。")
}

fn files_and(text: &str) -> Vec<u8> {
    let parent = notice_id(ZHANG);
    format!(
        "From: <zhang@dg.example>\r\nTo: <{OWN}>\r\nSubject: Re: x\r\nMessage-ID: <f1@client.example>\r\n\
         In-Reply-To: {parent}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=edge\r\n\r\n\
         --edge\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n\
         --edge\r\nContent-Type: application/pdf\r\n\
         Content-Disposition: attachment; filename=\"ledger.pdf\"\r\n\r\n%PDF-1.7 ledger\r\n\
         --edge\r\nContent-Type: application/pdf\r\n\
         Content-Disposition: attachment; filename=\"run.pdf\"\r\n\r\nMZ program\r\n--edge--\r\n"
    )
    .into_bytes()
}

#[tokio::test]
async fn files_of_a_mail_that_waits_are_kept_for_what_a_coordinator_enters() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk_with(Default::default(), |desk| {
        desk.vault = crate::store::Vault::new(dir.path().to_owned());
    });
    append(&desk, "2022-02-07T09:00", plan_facts()).await;
    let desk = remind(desk).await;
    take(&desk, files_and("情况比较复杂，见附件。")).await;
    let book = desk.ledger.book();
    let mail = &book.mails_waiting().next().unwrap().1.mail;
    let names: Vec<_> = mail.kept.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["ledger.pdf"]);
    let refused: Vec<_> = mail.unkept.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(refused, ["run.pdf"]);
    assert!(matches!(desk.vault.open(&mail.kept[0].sha256), Ok(Some(_))));
    assert_eq!(book.obligations[&key(4, 0)].shown().count(), 0);
}

#[tokio::test]
async fn files_of_a_mail_stand_beside_the_reports_it_makes() {
    use std::io::Read as _;
    let dir = tempfile::tempdir().unwrap();
    let desk = desk_with(Default::default(), |desk| {
        desk.vault = crate::store::Vault::new(dir.path().to_owned());
    });
    append(&desk, "2022-02-07T09:00", plan_facts()).await;
    let desk = remind(desk).await;
    take(&desk, with_files()).await;
    let evidence = {
        let book = desk.ledger.book();
        let known = &book.obligations[&key(4, 0)];
        assert_eq!(
            known.reports[0].evidence.len(),
            1,
            "the report stands on it"
        );
        known.shown().next().unwrap().evidence.clone()
    };
    assert_eq!(evidence.name, "ledger.pdf");
    let mut text = String::new();
    let mut file = desk.vault.open(&evidence.sha256).unwrap().unwrap();
    file.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("%PDF-1.7 ledger"));
    let letter = receipt_letter(&desk, |_| ());
    insta::assert_snapshot!("receipt_with_files", letter);
}

#[tokio::test]
async fn a_mail_whose_files_cannot_be_kept_is_a_report_all_the_same() {
    // The fixture's vault cannot be written.
    let desk = reminded().await;
    take(&desk, with_files()).await;
    let book = desk.ledger.book();
    let known = &book.obligations[&key(4, 0)];
    assert_eq!(known.reports.len(), 1);
    assert_eq!(known.shown().count(), 0, "no fact without its bytes");
    let unkept = &book.mails.values().last().unwrap().mail.unkept;
    let names: Vec<_> = unkept.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ledger.pdf", "run.pdf"]);
}

#[tokio::test]
async fn who_is_not_sure_to_be_who_they_say_waits_for_a_person_and_gets_no_answer() {
    let desk = reminded().await;
    let text = "4 已完成";
    let other = take(&desk, answer(ZHANG, "x@evil.example", "b1", "", text)).await;
    assert!(why(other).contains("发件地址"));
    let forged = "Authentication-Results: mx.dg.example; dmarc=fail header.from=dg.example\r\n";
    let forged = take_with(
        &desk,
        Some("mx.dg.example"),
        answer(ZHANG, "zhang@dg.example", "b2", forged, text),
    )
    .await;
    assert!(why(forged).contains("冒名"));
    let unsaid = take_with(
        &desk,
        Some("mx.dg.example"),
        answer(ZHANG, "zhang@dg.example", "b3", "", text),
    )
    .await;
    assert!(why(unsaid).contains("没有验证"));
    assert_eq!(receipts(&desk), 0);
    let passed = "Authentication-Results: mx.dg.example; dmarc=pass header.from=dg.example\r\n";
    let passed = take_with(
        &desk,
        Some("mx.dg.example"),
        answer(ZHANG, "zhang@dg.example", "b4", passed, text),
    )
    .await;
    assert!(matches!(passed, MailOutcome::Reported { .. }));
}

#[tokio::test]
async fn machines_set_nothing_and_are_never_answered() {
    let desk = reminded().await;
    for (id, mark) in [
        ("c1", "Auto-Submitted: auto-replied\r\n"),
        ("c2", "X-QQ-AUTO-REPLY: true\r\n"),
        ("c3", "Return-Path: <>\r\n"),
    ] {
        let outcome = take(
            &desk,
            answer(ZHANG, "zhang@dg.example", id, mark, "4 已完成"),
        )
        .await;
        assert_eq!(outcome, MailOutcome::Automatic, "{mark}");
    }
    let own = take(&desk, answer(ZHANG, OWN, "c4", "", "4 已完成")).await;
    assert_eq!(own, MailOutcome::Ignored);
    assert_eq!(receipts(&desk), 0);
    assert!(
        desk.ledger.book().obligations[&key(4, 0)]
            .reports
            .is_empty()
    );
}

#[tokio::test]
async fn two_programs_cannot_keep_each_other_busy() {
    let desk = reminded().await;
    for n in 0..30 {
        take(
            &desk,
            answer(
                ZHANG,
                "zhang@dg.example",
                &format!("d{n}"),
                "",
                "您的来信已转有关部门",
            ),
        )
        .await;
    }
    assert_eq!(receipts(&desk), 5);
    assert_eq!(desk.ledger.book().mails_waiting().count(), 30);
}

#[tokio::test]
async fn a_bounce_marks_the_address_only_where_nobody_is_there() {
    let desk = reminded().await;
    let report = |id: &str, to: &str, status: &str, words: &str| {
        let parent = notice_id(ZHANG);
        format!("Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nMessage-ID: <{id}@mx.example>\r\nSubject: Undelivered\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nsorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; {to}\r\nAction: failed\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {words}\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {parent}\r\n--b--\r\n").into_bytes()
    };
    let refused = |desk: &Desk| {
        desk.ledger
            .book()
            .addresses
            .get(&(id(ZHANG), ChannelKind::Email))
            .is_some_and(|known| known.refused.is_some())
    };
    // Of somebody else, and a refusal that passes.
    assert_eq!(
        take(
            &desk,
            report("e1", "yao@dg.example", "5.1.1", "550 no such user")
        )
        .await,
        MailOutcome::Ignored
    );
    take(
        &desk,
        report(
            "e2",
            "zhang@dg.example",
            "5.0.0",
            "550 Mailbox unavailable or access denied",
        ),
    )
    .await;
    assert!(!refused(&desk));
    take(
        &desk,
        report("e3", "Zhang@dg.example", "5.1.1", "550 5.1.1 User unknown"),
    )
    .await;
    assert!(refused(&desk));
    assert_eq!(receipts(&desk), 0);
}

#[tokio::test]
async fn a_mail_that_names_no_reminder_waits_or_is_none_of_ours() {
    let desk = reminded().await;
    let mail = |from: &str, id: &str, subject: &str| {
        format!("From: {from}\r\nMessage-ID: <{id}@x>\r\nSubject: {subject}\r\n\r\n4 已完成")
            .into_bytes()
    };
    assert!(why(take(&desk, mail("zhang@dg.example", "f1", "进展")).await).contains("没有引用"));
    assert_eq!(
        take(&desk, mail("news@shop.example", "f2", "打折")).await,
        MailOutcome::Ignored
    );
    let token = subject_token(&plan(), quarter("2022Q1"), &id(ZHANG));
    let by_token = take(
        &desk,
        mail("zhang@dg.example", "f3", &format!("Re: x[#{token}]")),
    )
    .await;
    assert!(matches!(by_token, MailOutcome::Reported { .. }));
    // A colleague of the same group answers for it.
    let by_colleague = take(
        &desk,
        answer(ZHANG, "yao@dg.example", "f4", "", "4 正常推进"),
    )
    .await;
    assert!(!matches!(by_colleague, MailOutcome::Ignored));
}

#[tokio::test]
async fn a_quote_that_no_client_marks_is_not_taken_for_the_answer() {
    let desk = reminded().await;
    let token = subject_token(&plan(), quarter("2022Q1"), &id(ZHANG));
    let text = format!("见下\r\n张玉成同志：4 已完成\r\n（本邮件由系统自动发出。编号：{token}）");
    let outcome = take(&desk, answer(ZHANG, "zhang@dg.example", "h1", "", &text)).await;
    assert!(why(outcome).contains("原邮件"));
}

/// A mailbox in memory.
struct Shelf {
    mails: VecDeque<(Listed, Vec<u8>)>,
    fetched: Vec<u32>,
}

impl Mailbox for Shelf {
    type Error = std::io::Error;

    async fn list(&mut self, last: Option<Place>) -> Result<Vec<Listed>, Self::Error> {
        let validity = self
            .mails
            .front()
            .map_or(1, |(mail, _)| mail.place.validity);
        let after = last
            .filter(|last| last.validity == validity)
            .map_or(0, |last| last.uid);
        // As servers do: the last one is always named.
        let last = self.mails.len().saturating_sub(1);
        let all = self.mails.iter().enumerate();
        Ok(all
            .filter(|(n, (mail, _))| mail.place.uid > after || *n == last)
            .map(|(_, (mail, _))| *mail)
            .collect())
    }

    async fn fetch(&mut self, mail: &Listed) -> Result<Option<Vec<u8>>, Self::Error> {
        self.fetched.push(mail.place.uid);
        let found = self.mails.iter().find(|(listed, _)| listed == mail);
        Ok(found.map(|(_, bytes)| bytes.clone()))
    }

    async fn wait(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[tokio::test]
async fn every_mail_is_read_once_and_a_mailbox_made_anew_is_read_again_without_harm() {
    let desk = reminded().await;
    let folder = tempfile::tempdir().unwrap();
    let reader = reader(&desk, folder.path(), None);
    let listed = |validity, uid, arrived: &str| Listed {
        place: Place { validity, uid },
        arrived: Some(at(arrived)),
        size: 100,
    };
    let one = answer(ZHANG, "zhang@dg.example", "g1", "", "4 已完成");
    let two = answer(ZHANG, "zhang@dg.example", "g2", "", "2 已完成");
    let old = answer(ZHANG, "zhang@dg.example", "g0", "", "2 滞后");
    let mut shelf = Shelf {
        mails: [
            (listed(1, 3, "2021-12-01T09:00"), old),
            (listed(1, 7, "2022-03-20T09:00"), one.clone()),
        ]
        .into(),
        fetched: vec![],
    };
    reader.look(&mut shelf).await.unwrap();
    reader.look(&mut shelf).await.unwrap();
    shelf
        .mails
        .push_back((listed(1, 9, "2022-03-21T09:00"), two.clone()));
    reader.look(&mut shelf).await.unwrap();
    assert_eq!(shelf.fetched, [7, 9]);
    let reports = || {
        desk.ledger
            .book()
            .obligations
            .values()
            .map(|known| known.reports.len())
            .sum::<usize>()
    };
    let before = reports();
    assert!(before >= 2);
    let again = [
        (listed(2, 1, "2022-03-20T09:00"), one),
        (listed(2, 2, "2022-03-21T09:00"), two),
    ];
    let mut anew = Shelf {
        mails: again.into(),
        fetched: vec![],
    };
    reader.look(&mut anew).await.unwrap();
    reader.look(&mut anew).await.unwrap();
    assert_eq!((anew.fetched, reports()), (vec![1, 2], before));
    assert_eq!(
        desk.ledger.book().mailbox,
        Some(Place {
            validity: 2,
            uid: 2
        })
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

/// The lost server had read it, reported by it and sent a receipt; the backup knows nothing of that.
#[tokio::test]
async fn after_a_restore_a_mail_of_before_reports_again_and_is_not_thanked_again() {
    let desk = reminded().await;
    let folder = tempfile::tempdir().unwrap();
    let reader = reader(&desk, folder.path(), None);
    let mail = |uid, arrived: &str, id: &str, text: &str| {
        let listed = Listed {
            place: Place { validity: 1, uid },
            arrived: Some(at(arrived)),
            size: 100,
        };
        (listed, answer(ZHANG, "zhang@dg.example", id, "", text))
    };
    let restored = Fact::StoreRestored {
        backed_up: at("2022-03-18T02:30"),
    };
    append(&desk, "2022-03-18T15:00", vec![restored]).await;
    let mut shelf = Shelf {
        mails: [
            mail(1, "2022-03-18T09:00", "r1", "4 已完成"),
            mail(2, "2022-03-18T14:50", "r2", "2 已完成"),
        ]
        .into(),
        fetched: vec![],
    };
    reader.look(&mut shelf).await.unwrap();
    assert!(shelf.fetched.is_empty(), "nobody has spoken yet");
    let resumed = Fact::SendingResumed {
        not_before: at("2022-03-18T14:00"),
    };
    append(&desk, "2022-03-18T15:10", vec![resumed]).await;
    reader.look(&mut shelf).await.unwrap();
    let book = desk.ledger.book();
    for item in [key(4, 0), key(2, 0)] {
        assert!(book.obligations[&item].latest().is_some());
    }
    let mut receipts: Vec<(Occasion, &str)> = book
        .messages
        .values()
        .map(|one| (one.message.key.occasion, one.state.as_str()))
        .filter(|(occasion, _)| matches!(occasion, Occasion::Receipt(_)))
        .collect();
    receipts.sort_unstable();
    assert_eq!(
        receipts,
        [
            (Occasion::Receipt(1), "withdrawn"),
            (Occasion::Receipt(2), "waiting")
        ]
    );
}
