use std::io::Cursor;

use calamine::{Data, Reader, Xlsx, open_workbook_from_rs};
use rust_xlsxwriter::Workbook;

use super::*;
use crate::domain::calendar::testing::china;
use crate::domain::due::{Reach, World};
use crate::domain::ids::{ObligationKey, PersonId};
use crate::domain::people::{ChannelKind, Roles};
use crate::domain::plan::Severity;
use crate::domain::policy::Policy;
use crate::plan::{fixture, import};

/// A book with the fixture's plan, and a contact for 李树峰.
fn book() -> Book {
    let mut book = Book::default();
    let file = import::TableFile {
        name: "dongguan-2022.txt".into(),
        sha256: String::new(),
        accepted: 0,
        units: Vec::new(),
    };
    let plan = fixture::plan();
    let facts = import::facts(&book, &plan, &file, &Policy::default(), &china());
    fixture::append(&mut book, facts);
    let contact = Contact {
        email: Some("lishufeng@b.example".into()),
        mobile: Some("13800000001".into()),
        channels: vec![ChannelKind::WecomRobot, ChannelKind::Email],
        note: Some("=1+1，周三外出".into()),
        ..Contact::none(PersonId::of("市财政局", "李树峰"))
    };
    fixture::append(&mut book, vec![Fact::ContactSet { contact }]);
    book
}

fn plan(book: &Book) -> &crate::domain::book::PlanBook {
    book.plans.values().next().unwrap()
}

fn read(book: &Book, bytes: &[u8]) -> Sheet {
    read_sheet(&rows(bytes).unwrap(), &people_of(book, plan(book)))
}

fn told(sheet: &Sheet) -> String {
    let line = |fault: &SheetFault| format!("{} {fault}\n", fault.severity.as_str());
    sheet.faults.iter().map(line).collect()
}

#[test]
fn the_template_names_everyone_in_the_order_of_the_table() {
    let book = book();
    let bytes = template_xlsx(&book, plan(&book)).unwrap();
    let mut workbook: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    assert_eq!(workbook.sheet_names(), ["联系人", "填写说明"]);
    let mut text = String::new();
    for (name, range) in workbook.worksheets() {
        text.push_str(&format!("== {name}\n"));
        for row in range.rows() {
            let cells: Vec<String> = row.iter().map(Data::to_string).collect();
            text.push_str(&format!("{}\n", cells.join(" | ")));
            assert!(
                row.iter()
                    .all(|cell| matches!(cell, Data::String(_) | Data::Empty))
            );
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_csv_template_is_for_excel_and_disarms_formulas() {
    let book = book();
    let text = String::from_utf8(template_csv(&book, plan(&book))).unwrap();
    assert!(text.starts_with('\u{feff}') && text.lines().count() == 9);
    insta::assert_snapshot!(text.trim_start_matches('\u{feff}').replace('\r', ""));
}

#[test]
fn what_the_template_says_comes_back_unchanged() {
    let book = book();
    let sheets = [
        template_xlsx(&book, plan(&book)).unwrap(),
        template_csv(&book, plan(&book)),
    ];
    for bytes in sheets {
        let sheet = read(&book, &bytes);
        assert_eq!(told(&sheet), "");
        assert_eq!(sheet.contacts.len(), 8);
        assert_eq!(changes(&book, &sheet.contacts), [], "nothing was filled in");
    }
}

const CSV: &str = "姓名,单位,职务,手机,邮箱,企业微信账号,渠道,备注\r\n\
李树峰,市财政局,科长,138 0000 0002,lsf@b.example,LiShuFeng,\"wecom_app,email\",\r\n\
张 玉 成,,,13800000003,zyc@b.example,,邮件、群机器人,直接责任人\r\n";

#[test]
fn every_way_of_saving_gives_the_same_contacts() {
    let book = book();
    let utf8 = CSV.as_bytes().to_vec();
    let with_mark = [b"\xef\xbb\xbf", CSV.as_bytes()].concat();
    let gbk = encoding_rs::GB18030.encode(CSV).0.into_owned();
    let utf16: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(
            CSV.replace(",\"wecom_app,email\",", "\twecom_app;email\t")
                .replace(',', "\t")
                .encode_utf16(),
        )
        .flat_map(u16::to_le_bytes)
        .collect();
    let expected = read(&book, &utf8);
    assert_eq!(told(&expected), "");
    let [first, second] = &expected.contacts[..] else {
        panic!("two contacts");
    };
    assert_eq!(first.mobile.as_deref(), Some("13800000002"));
    assert_eq!(first.wecom_user.as_deref(), Some("LiShuFeng"));
    assert_eq!(first.channels, [ChannelKind::WecomApp, ChannelKind::Email]);
    assert_eq!(
        (first.title.as_deref(), first.note.as_deref()),
        (Some("科长"), None)
    );
    assert_eq!(
        second.person,
        PersonId::of("市工业和信息化局", "张玉成"),
        "one of this name only"
    );
    assert_eq!(
        second.channels,
        [ChannelKind::Email, ChannelKind::WecomRobot]
    );
    assert_eq!(second.note, None, "the template's own remark is no remark");
    for bytes in [with_mark, gbk, utf16] {
        assert_eq!(read(&book, &bytes), expected);
    }
    assert_eq!(changes(&book, &expected.contacts).len(), 2);
}

#[test]
fn excels_own_ways_are_understood() {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().write_string(0, 0, "封面").unwrap();
    let sheet = workbook.add_worksheet();
    sheet.write_string(0, 0, "市直单位联系人表").unwrap();
    for (heading, column) in [
        "序号",
        "姓　名",
        "所在单位",
        "手机号码",
        "E-mail",
        "企业微信",
    ]
    .iter()
    .zip(0..)
    {
        sheet.write_string(2, column, *heading).unwrap();
    }
    sheet.write_number(3, 0, 1).unwrap();
    sheet.write_string(3, 1, "杜江").unwrap();
    sheet.write_string(3, 2, " 市市场监管局 ").unwrap();
    sheet.write_number(3, 3, 13_800_000_004.0).unwrap();
    sheet.write_string(3, 4, "ｄｕ＠b.example").unwrap();
    // A stray cell in the last corner: not read, and no memory spent on what lies between.
    sheet.write_string(1_048_575, 16_383, "x").unwrap();
    let book = book();
    let found = read(&book, &workbook.save_to_buffer().unwrap());
    assert_eq!(
        told(&found),
        "warning 第3行：不认识“序号”这一列，没有读取\n"
    );
    assert_eq!(found.contacts[0].mobile.as_deref(), Some("13800000004"));
    assert_eq!(found.contacts[0].email.as_deref(), Some("du@b.example"));
}

#[test]
fn every_slip_is_told_with_row_and_column_and_without_the_address() {
    let mut book = book();
    let namesake = fixture::person("市商务局", "杜江", Roles::default());
    let plan_id = book.plans.keys().next().unwrap().clone();
    let mut task = fixture::task(
        17,
        "x。",
        "刘光滨",
        &[("市商务局", "某某", "杜江")],
        &[(1, 1, "y")],
    );
    task.groups[0].owners[0].id = namesake.id.clone();
    fixture::append(
        &mut book,
        vec![
            Fact::PersonSet {
                plan: Some(plan_id.clone()),
                person: namesake,
            },
            Fact::TaskSet {
                plan: plan_id,
                task: Box::new(task),
            },
        ],
    );
    let long = "长".repeat(201);
    let csv = format!(
        "姓名,单位,职务,手机,邮箱,企业微信账号,渠道,备注,传真\n\
         王五,市财政局,,,,,,\n\
         李树峰,市商务局,,,,,,\n\
         杜江,,,13800000004,,,,\n\
         姚慧怡,市财政局,,1380000000,yao@b@example,姚慧怡,\"email,短信\",{long}\n\
         肖必良,,,13800000005,,,email,\n\
         肖必良,,,13800000006,,,,\n\
         张永忠,,,13800000005,,,,\n\
         张永忠,,,13800000005,,,,\n\
         ,市财政局,,13800000007,,,,\n\
         \n,,,,,,,\n\
         王长青,,,,w@b.example,,,\n"
    );
    let sheet = read(&book, csv.as_bytes());
    let faults = told(&sheet);
    assert!(
        !faults.contains("1380000") && !faults.contains("yao@"),
        "{faults}"
    );
    insta::assert_snapshot!(faults);
    let taken: Vec<&PersonId> = sheet
        .contacts
        .iter()
        .map(|contact| &contact.person)
        .collect();
    let expected = [
        PersonId::of("市工业和信息化局", "肖必良"),
        PersonId::of("市市场监管局", "张永忠"),
        PersonId::of("", "王长青"),
    ];
    assert_eq!(taken, expected.iter().collect::<Vec<_>>());
    assert!(sheet.has_errors());
}

#[test]
fn a_file_that_is_no_contact_sheet_says_what_it_lacks() {
    let book = book();
    let sheet = read(&book, "序号,电话\n1,2\n".as_bytes());
    insta::assert_snapshot!(told(&sheet));
    assert_eq!(sheet.faults[0].severity, Severity::Error);
    let twice = read(&book, "姓名,手机,手机号码\n".as_bytes());
    assert_eq!(
        told(&twice),
        "error 第1行“手机”列：这一列出现了两次，请删去一列\n"
    );
    assert!(matches!(
        rows(b"PK\x03\x04rest"),
        Err(UnreadableSheet::Xlsx(_))
    ));
    assert!(matches!(
        rows(&[0xD0, 0xCF, 0x11, 0xE0, 0]),
        Err(UnreadableSheet::OldExcel)
    ));
    assert!(matches!(
        rows(b"\x7fELF\x00\x00"),
        Err(UnreadableSheet::Encoding)
    ));
    assert!(matches!(
        rows(&vec![b'a'; 21 << 20]),
        Err(UnreadableSheet::TooLarge { .. })
    ));
    assert_eq!(rows(b"").unwrap(), []);
    assert!(read(&book, b"").has_errors());
}

#[test]
fn whom_we_cannot_reach_is_listed_with_what_goes_unsaid() {
    let mut book = book();
    let plan_id = book.plans.keys().next().unwrap().clone();
    let contact = Contact {
        wecom_user: Some("zyc".into()),
        ..Contact::none(PersonId::of("市工业和信息化局", "张玉成"))
    };
    fixture::append(&mut book, vec![Fact::ContactSet { contact }]);
    let obligation = ObligationKey {
        plan: plan_id.clone(),
        quarter: fixture::quarter(1),
        task: 16,
        group: 0,
    };
    fixture::append(&mut book, vec![fixture::reported(obligation)]);
    let (calendar, policy) = (china(), Policy::default());
    let list = |book: &Book, reach: &Reach| {
        let world = World {
            book,
            calendar: &calendar,
            policy: &policy,
            reach,
            coordinators: &[],
        };
        readiness(&world, &plan_id).unwrap()
    };
    let by_mail = Reach {
        email: true,
        ..Reach::default()
    };
    let found = list(&book, &by_mail);
    assert_eq!((found.people, found.unreachable.len()), (8, 7));
    assert_eq!(found.doubtful.len(), 1);
    insta::assert_snapshot!(found);

    // Known to work, known not to, and another address.
    let li = PersonId::of("市财政局", "李树峰");
    let confirmed = Fact::AddressConfirmed {
        person: li.clone(),
        channel: ChannelKind::Email,
    };
    fixture::append(&mut book, vec![confirmed]);
    assert_eq!(list(&book, &by_mail).doubtful, []);
    let address = book.addresses.get_mut(&(li.clone(), ChannelKind::Email));
    address.unwrap().refused = Some((chrono::DateTime::UNIX_EPOCH, "550 User unknown".into()));
    let refused = list(&book, &by_mail);
    assert_eq!((refused.unreachable.len(), refused.doubtful.len()), (8, 0));
    insta::assert_snapshot!("refused", refused);
    let contact = Contact {
        email: Some("other@b.example".into()),
        ..book.contacts[&li].clone()
    };
    fixture::append(&mut book, vec![Fact::ContactSet { contact }]);
    assert_eq!(list(&book, &by_mail).unreachable.len(), 7);

    let spool = list(&book, &Reach::default());
    assert_eq!(spool.to_string(), "8人都有可用的联系方式。\n");
}

#[test]
fn coordinators_come_from_the_configuration() {
    let person = fixture::person("督查科", "张三", Roles::default());
    let contact = Contact {
        email: Some("z@b.example".into()),
        ..Contact::none(person.id.clone())
    };
    let coordinators = [(person, contact)];
    let mut book = book();
    let facts = office_changes(&book, &coordinators);
    assert_eq!(facts.len(), 2);
    fixture::append(&mut book, facts);
    assert_eq!(office_changes(&book, &coordinators), []);
}
