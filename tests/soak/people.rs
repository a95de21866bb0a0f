//! What people do meanwhile, at random: report, ask, judge, move duties, bring tables.

use std::collections::BTreeMap;

use cuiban::domain::ids::PersonId;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::dovecot::Dovecot;
use crate::house::House;
use crate::weather::Peers;
use crate::world::{CHANNELS, EMAIL, Mail, NAME, TABLE, UNIT, WECOM};

/// The plans of a year: the real table and two small ones.
pub const PLANS: [(&str, usize); 3] = [("dongguan", 0), ("zhongdian", 40), ("minsheng", 24)];

/// The column that says what somebody is.
const ROLE: &str = "直接责任人";

/// Everybody, and what they have been told by the daemon.
#[derive(Default)]
pub struct People {
    /// Owners: name and unit.
    owners: Vec<(String, String)>,
    /// Everybody's number, which names their accounts, by unit and name.
    numbers: BTreeMap<(String, String), usize>,
    pub year: i32,
    /// Versions of the small tables, so that each import differs from the last.
    version: usize,
    /// Words that mark a report: those whose receipt was seen, and those put into the mailbox.
    pub said: Vec<String>,
    pub mailed: Vec<String>,
    marks: usize,
    /// What was done, and what was answered.
    pub deeds: BTreeMap<(&'static str, String), usize>,
    tokens: Vec<String>,
    seen_mails: usize,
    letters: Vec<Mail>,
}

impl People {
    /// The tables of a year and everybody's address in it.
    pub fn new_year(&mut self, house: &House, year: i32) {
        self.year = year;
        let (first, small) = PLANS.split_first().unwrap();
        let id = format!("{}-{year}", first.0);
        // The same table, made in that year.
        let table = std::fs::read_to_string(TABLE).unwrap();
        let table = table
            .replace("2022 年", &format!("{year} 年"))
            .replace("2022年", &format!("{year}年"));
        let path = house.world.path(&format!("{id}.txt"));
        std::fs::write(&path, table).unwrap();
        let path = path.to_str().unwrap();
        house
            .world
            .run(&["plan", "import", path, "--id", &id, "--accept"]);
        let mut rows = sheet(house);
        if self.owners.is_empty() {
            let owners = rows
                .iter()
                .filter(|row| row.iter().any(|cell| cell == ROLE));
            let owners = owners.map(|row| (row[NAME].clone(), row[UNIT].clone()));
            self.owners = owners.collect();
        }
        for (name, tasks) in small {
            self.bring(house, name, *tasks);
            // A sheet has the people of the latest plan.
            rows.extend(sheet(house));
        }
        rows.sort_unstable();
        rows.dedup_by(|a, b| (&a[NAME], &a[UNIT]) == (&b[NAME], &b[UNIT]));
        for row in &rows {
            let next = self.numbers.len();
            let who = (row[UNIT].clone(), row[NAME].clone());
            self.numbers.entry(who).or_insert(next);
        }
        self.addresses(house, rows);
    }

    /// Everybody's account in WeCom by the program's own name for them.
    pub fn accounts(&self) -> BTreeMap<String, String> {
        let all = self.numbers.iter();
        all.map(|((unit, name), number)| {
            (PersonId::of(unit, name).to_string(), format!("wx{number}"))
        })
        .collect()
    }

    /// Brings a small table, as it is now.
    fn bring(&mut self, house: &House, name: &str, tasks: usize) -> bool {
        let id = format!("{name}-{}", self.year);
        let path = house.world.path(&format!("{id}.txt"));
        std::fs::write(&path, self.table(&house.dice, name, tasks)).unwrap();
        let path = path.to_str().unwrap();
        let args = ["plan", "import", path, "--id", &id, "--accept"];
        house.world.cuiban(&args).status.success()
    }

    fn table(&self, dice: &Dice, name: &str, tasks: usize) -> String {
        let year = self.year;
        let mut table = format!(
            "{year}年{name}任务分解表\n总体要求\t年度目标及工作内容\t季度进度安排\t责任领导\t\
             牵头单位\t责任人\t直接责任人\t协助单位\n"
        );
        for n in 1..=tasks {
            // A revised table: other words, a row gone, another owner.
            let revised = self.version > 0 && dice.one_in(12);
            if revised && n > tasks / 2 && dice.one_in(3) {
                continue;
            }
            let shift = usize::from(revised);
            let (owner, unit) = &self.owners[(n * 7 + shift) % self.owners.len()];
            let words = match revised {
                true => format!("完成第{}批工作", self.version),
                false => "完成前期工作".to_owned(),
            };
            table.push_str(&format!(
                "(一)稳增长\t{n}.推进第{n}号工程。\t一季度，{words}；二季度，开工建设；三季度，完成{n}0%；\
                 四季度，竣工验收。\t刘光滨\t{unit}\t李明辉\t{owner}\t市财政局\n"
            ));
        }
        table
    }

    /// A contact sheet with an address of this year for everybody.
    fn addresses(&self, house: &House, rows: Vec<Vec<String>>) {
        let path = house.world.path("contacts.csv");
        let mut filled = csv::Writer::from_path(&path).unwrap();
        let columns = [
            "姓名",
            "单位",
            "职务",
            "手机",
            "邮箱",
            "企业微信账号",
            "渠道",
            "备注",
        ];
        filled.write_record(columns).unwrap();
        for mut cells in rows {
            let index = self.numbers[&(cells[UNIT].clone(), cells[NAME].clone())];
            let (email, wecom) = (
                format!("u{index}.{}@example.invalid", self.year),
                format!("wx{index}"),
            );
            let channels = match index % 20 {
                0..=11 => "email",
                12..=14 => "wecom_app,email",
                15..=17 => "wecom_robot,email",
                18 => "wecom_robot",
                _ => "wecom_app",
            };
            cells[EMAIL] = if channels.contains("email") {
                email
            } else {
                String::new()
            };
            cells[WECOM] = if channels.contains("wecom") {
                wecom
            } else {
                String::new()
            };
            channels.clone_into(&mut cells[CHANNELS]);
            filled.write_record(&cells).unwrap();
        }
        filled.flush().unwrap();
        // After a clock that was set back, "the latest plan" may be another one, and a row of its
        // sheet nobody's.
        let output = house
            .world
            .cuiban(&["contacts", "import", path.to_str().unwrap()]);
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 3)), "{output:?}");
    }

    /// Somebody does something.
    pub async fn act(&mut self, house: &House, peers: &Peers) {
        self.read_letters(peers);
        let (deed, answer) = match house.dice.roll(40) {
            0..=13 => ("report on the page", self.report(house).await),
            14..=16 => ("report by mail", self.answer(house, &peers.dovecot)),
            17..=19 => ("report on behalf", self.on_behalf(house).await),
            20..=25 => ("review", self.review(house).await),
            26..=27 => ("ask for a later date", self.ask_extension(house).await),
            28 => ("decide on a later date", self.decide(house).await),
            29 => ("say not mine", self.not_mine(house).await),
            30 => ("change an owner, or let fill in", self.people(house).await),
            31 => ("bring a revised table", self.revise(house)),
            32 => ("send again what was given up", self.revive(house).await),
            33 => ("urge", self.urge(house)),
            34 => ("export", export(house, self.year)),
            _ => ("look at a page", look(house, self.year).await),
        };
        let answer = answer.unwrap_or_else(|| "nothing to do, or nobody there".into());
        *self.deeds.entry((deed, answer)).or_default() += 1;
    }

    /// Keeps the newest letters at hand.
    fn read_letters(&mut self, peers: &Peers) {
        for mail in peers.smtp.mails_from(self.seen_mails) {
            self.seen_mails += 1;
            let Some(parsed) = mail_parser::MessageParser::default().parse(&mail.data) else {
                continue;
            };
            let text = parsed.body_text(0).unwrap_or_default().into_owned();
            if !text.contains("/r/") || mail.to.is_empty() {
                continue;
            }
            let letter = Mail {
                to: mail.to[0].clone(),
                message_id: parsed.message_id().unwrap_or_default().to_owned(),
                text,
                raw: String::from_utf8_lossy(&mail.data).into_owned(),
            };
            self.tokens
                .push(letter.link().rsplit('/').next().unwrap().to_owned());
            self.letters.push(letter);
        }
        // Who reads letters of last year?
        let old = self.tokens.len().saturating_sub(400);
        self.tokens.drain(..old);
        self.letters.drain(..old);
    }

    fn mark(&mut self) -> String {
        self.marks += 1;
        format!("〔m{}〕", self.marks)
    }

    async fn items(&self, house: &House, token: &str) -> Option<Value> {
        let url = format!("{}/api/v1/reply/{token}", house.daemon().base);
        let answer = house.daemon().http.get(url).send().await.ok()?;
        answer.json().await.ok()
    }

    async fn report(&mut self, house: &House) -> Option<String> {
        let token = house.dice.pick(&self.tokens)?.clone();
        let page = self.items(house, &token).await?;
        let mark = self.mark();
        let items = page["items"].as_array()?.iter();
        let open = items.filter(|item| item["state"] != "accepted" && !house.dice.one_in(4));
        let reports: Vec<Value> = open
            .map(|item| {
                let (status, problems, next) = match house.dice.roll(5) {
                    0 => ("completed", "", ""),
                    1 => ("behind", "用地未落实", "正在协调用地"),
                    2 => ("not_started", "条件未具备", "下季度启动"),
                    _ => ("on_schedule", "", ""),
                };
                json!({"task": item["task"], "status": status, "percent": house.dice.roll(101),
                    "progress": format!("按计划推进{mark}"), "problems": problems, "next_steps": next})
            })
            .collect();
        if reports.is_empty() {
            return None;
        }
        let url = format!("{}/api/v1/reply/{token}", house.daemon().base);
        let body = json!({ "reports": reports });
        let answer = house
            .daemon()
            .http
            .post(url)
            .json(&body)
            .send()
            .await
            .ok()?;
        let status = answer.status().as_u16();
        if status == 200 {
            self.said.push(mark);
        }
        Some(status.to_string())
    }

    fn answer(&mut self, house: &House, dovecot: &Dovecot) -> Option<String> {
        let letter = house.dice.pick(&self.letters)?.clone();
        let number = letter.text.split("第").skip(1).find_map(|part| {
            part.split_once('项')
                .and_then(|(digits, _)| digits.parse::<u32>().ok())
        });
        let mark = self.mark();
        let words = match (number, house.dice.roll(5)) {
            (Some(number), 1..) => format!("{number} 正常推进，已完成阶段工作{mark}。"),
            _ => format!("情况比较复杂，面报{mark}。"),
        };
        dovecot.answer(&letter, &words, &[]);
        self.mailed.push(mark);
        Some("delivered".into())
    }

    /// Rows of the board that are open, of the quarter somebody would look at.
    async fn open_rows(&self, house: &House) -> Option<(String, Vec<Value>)> {
        let board = house.ask_json("/api/v1/board").await?;
        let quarter = board["quarter"].as_str()?.to_owned();
        let rows = board["rows"].as_array()?.iter();
        let open = rows.filter(|row| row["state"] != "accepted");
        Some((quarter, open.cloned().collect()))
    }

    async fn on_behalf(&mut self, house: &House) -> Option<String> {
        let (quarter, rows) = self.open_rows(house).await?;
        let row = house.dice.pick(&rows)?;
        let mark = self.mark();
        let whole = format!("{}/{}", row["unit"].as_str()?, row["owners"][0].as_str()?);
        let body = json!({"plan": row["plan"], "quarter": quarter, "task": row["task"],
            "person": whole, "status": "on_schedule", "text": format!("电话报送{mark}")});
        let status = post(house, "/api/v1/report", &body).await?;
        if status == 200 {
            self.said.push(mark);
        }
        Some(status.to_string())
    }

    async fn review(&self, house: &House) -> Option<String> {
        let list = house.ask("/review").await?;
        let (plan, quarter) = {
            let value = |name: &str| {
                let (_, rest) = list.split_once(&format!("name=\"{name}\" value=\""))?;
                Some(rest.split_once('"')?.0.to_owned())
            };
            (value("plan")?, value("quarter")?)
        };
        let start = format!("value=\"{plan}/");
        let seen: Vec<String> = list
            .split(&start)
            .skip(1)
            .filter_map(|rest| {
                let value = rest.split_once('"')?.0;
                value.contains('@').then(|| format!("{plan}/{value}"))
            })
            .take(12)
            .collect();
        let word = if house.dice.one_in(4) {
            "return"
        } else {
            "accept"
        };
        let mut form = vec![
            ("csrf", String::new()),
            ("plan", plan),
            ("quarter", quarter),
            ("do", word.to_owned()),
            ("reason", "请写明具体数据".to_owned()),
        ];
        if seen.is_empty() {
            return None;
        }
        form.extend(seen.into_iter().map(|one| ("item", one)));
        submit(house, "/review/list", &form).await
    }

    async fn ask_extension(&mut self, house: &House) -> Option<String> {
        let token = house.dice.pick(&self.tokens)?.clone();
        let page = self.items(house, &token).await?;
        let item = house.dice.pick(page["items"].as_array()?)?.clone();
        let day =
            (house.now + chrono::TimeDelta::days(house.dice.between(5, 40) as i64)).date_naive();
        for group in 0..3 {
            let path = format!("/r/{token}/extension/{}/{group}", item["task"]);
            let form = [("day", day.to_string()), ("reason", "评审会推迟".into())];
            let status = fill_in(house, &path, &form).await?;
            if status == 303 {
                return Some("303".into());
            }
        }
        Some("not granted to ask".into())
    }

    async fn decide(&self, house: &House) -> Option<String> {
        let page = house.ask("/requests").await?;
        let items: Vec<String> = page
            .split("name=\"item\" value=\"")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
            .collect();
        let item = house.dice.pick(&items)?.clone();
        let refuse = house.dice.one_in(3);
        let day =
            (house.now + chrono::TimeDelta::days(house.dice.between(5, 40) as i64)).date_naive();
        let form = [
            ("csrf", String::new()),
            ("item", item),
            ("do", if refuse { "refuse" } else { "grant" }.into()),
            ("day", day.to_string()),
            ("note", "请抓紧".into()),
        ];
        let path = match house.dice.one_in(2) {
            true => "/requests/extension",
            false => "/requests/not-mine",
        };
        submit(house, path, &form).await
    }

    async fn not_mine(&self, house: &House) -> Option<String> {
        let token = house.dice.pick(&self.tokens)?;
        let page = self.items(house, token).await?;
        let item = house.dice.pick(page["items"].as_array()?)?.clone();
        let (name, unit) = house.dice.pick(&self.owners)?.clone();
        let path = format!("/r/{token}/not-mine/{}/0", item["task"]);
        let form = [("name", name), ("unit", unit), ("note", "已转岗".into())];
        Some(fill_in(house, &path, &form).await?.to_string())
    }

    async fn people(&self, house: &House) -> Option<String> {
        let (from, from_unit) = house.dice.pick(&self.owners)?.clone();
        let (name, unit) = house.dice.pick(&self.owners)?.clone();
        let kind = *house.dice.pick(&["owner", "items", "acting"])?;
        let plan = house.dice.pick(&PLANS)?.0;
        let day = |days: i64| (house.now + chrono::TimeDelta::days(days)).date_naive();
        let form = [
            ("csrf", String::new()),
            ("plan", format!("{plan}-{}", self.year)),
            ("do", kind.into()),
            ("from", format!("{from_unit}/{from}")),
            ("name", name),
            ("unit", unit),
            ("begins", day(1).to_string()),
            ("ends", day(20).to_string()),
        ];
        submit(house, "/requests/people", &form).await
    }

    fn revise(&mut self, house: &House) -> Option<String> {
        self.version += 1;
        let (name, tasks) = house.dice.pick(&PLANS[1..])?;
        let done = self.bring(house, name, *tasks);
        Some(if done { "done" } else { "not done" }.into())
    }

    async fn revive(&self, house: &House) -> Option<String> {
        let dead = house.ask_json("/api/v1/deliveries?state=dead").await?;
        let letter = house.dice.pick(dead["deliveries"].as_array()?)?.clone();
        let form = [
            ("csrf", String::new()),
            ("key", letter["key"].as_str()?.to_owned()),
        ];
        let path = match house.dice.one_in(3) {
            true => "/deliveries/handled",
            false => "/deliveries/revive",
        };
        submit(house, path, &form).await
    }

    fn urge(&self, house: &House) -> Option<String> {
        let (_, unit) = house.dice.pick(&self.owners)?;
        let quarter = quarter(house);
        let args = ["urge", "--quarter", &quarter, "--unit", unit];
        let output = house.world.cuiban(&args);
        Some(format!("exit {}", output.status.code().unwrap_or(-1)))
    }
}

fn quarter(house: &House) -> String {
    use chrono::Datelike as _;
    format!("{}Q{}", house.now.year(), house.now.month0() / 3 + 1)
}

fn export(house: &House, year: i32) -> Option<String> {
    let (quarter, plan) = (quarter(house), format!("dongguan-{year}"));
    let path = house.world.path("out.xlsx");
    let args = [
        "export",
        "--quarter",
        &quarter,
        "--plan",
        &plan,
        "-o",
        path.to_str()?,
    ];
    let output = house.world.cuiban(&args);
    let _ = std::fs::remove_file(path);
    Some(format!("exit {}", output.status.code().unwrap_or(-1)))
}

async fn look(house: &House, year: i32) -> Option<String> {
    let quarter = quarter(house);
    let plan = format!("dongguan-{year}");
    let pages = [
        "/".to_owned(),
        format!("/items?quarter={quarter}"),
        format!("/items?plan={plan}&quarter={quarter}"),
        "/deliveries?state=sent".to_owned(),
        "/mails".to_owned(),
        "/readiness".to_owned(),
        format!("/grid.svg?plan={plan}"),
    ];
    let page = house.dice.pick(&pages)?;
    Some(match house.ask(page).await {
        Some(_) => "200".into(),
        None => "refused".into(),
    })
}

/// The contact sheet's rows.
fn sheet(house: &House) -> Vec<Vec<String>> {
    let sheet = house.world.run(&["contacts", "template"]);
    let sheet = sheet.trim_start_matches('\u{feff}');
    let mut reader = csv::Reader::from_reader(sheet.as_bytes());
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

async fn post(house: &House, path: &str, body: &Value) -> Option<u16> {
    let socket = crate::world::client_over(&house.world.path("cuiban.sock"));
    let url = format!("http://cuiban.invalid{path}");
    let answer = socket.post(url).json(body).send().await.ok()?;
    Some(answer.status().as_u16())
}

async fn submit(house: &House, path: &str, form: &[(&str, String)]) -> Option<String> {
    let socket = crate::world::client_over(&house.world.path("cuiban.sock"));
    let url = format!("http://cuiban.invalid{path}");
    let answer = crate::world::try_submit(&socket, &url, form).await?;
    Some(answer.status().as_u16().to_string())
}

async fn fill_in(house: &House, path: &str, form: &[(&str, String)]) -> Option<u16> {
    let daemon = house.daemon();
    let url = format!("{}{path}", daemon.base);
    let answer = crate::world::try_submit(&daemon.http, &url, form).await?;
    Some(answer.status().as_u16())
}
