//! The configuration as a site meets it: files, environment, faults and what is shown.

use std::os::unix::fs::PermissionsExt;

use chrono::NaiveDate;

use super::*;

/// A site's folder with its file and whatever lies beside it.
struct Site {
    folder: tempfile::TempDir,
    env: Vec<(String, String)>,
}

impl Site {
    fn new(text: &str) -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
            env: Vec::new(),
        };
        site.file("cuiban.toml", text, 0o600)
    }

    fn file(self, name: &str, text: &str, mode: u32) -> Self {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    fn load(&self) -> Result<Loaded, ConfigFaults> {
        let path = self.folder.path().join("cuiban.toml");
        Config::load(Some(&path), self.env.iter().cloned())
    }

    /// What the administrator reads, with the folder's changing name taken out.
    fn faults(&self) -> String {
        self.masked(&self.load().unwrap_err().to_string())
    }

    fn masked(&self, text: &str) -> String {
        text.replace(&*self.folder.path().to_string_lossy(), "/etc/cuiban")
    }
}

fn defaults() -> Loaded {
    Config::load(None, std::iter::empty()).unwrap()
}

#[test]
fn nothing_needs_to_be_configured() {
    let loaded = defaults();
    assert_eq!(loaded.warnings, []);
    let config = loaded.config;
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8780");
    assert_eq!(config.server.socket, Path::new("data/cuiban.sock"));
    assert_eq!(config.channels(), [ChannelKind::Spool]);
    assert_eq!(config.spool.path, Path::new("data/spool"));
    assert_eq!(
        config.policy,
        Policy::default(),
        "default.toml and product.md say the same"
    );
    let link = config.server.link_base("0.0.0.0:8780".parse().unwrap());
    assert_eq!(link, "http://127.0.0.1:8780");
}

#[test]
fn the_defaults_as_shown() {
    insta::assert_snapshot!(Show(&defaults()));
}

/// The defaults with every commented line in force.
fn switched_on() -> Site {
    let on: String = DEFAULT_TOML
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with('[') || is_setting(rest) => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    Site::new(&on)
        .file("smtp-password", "geheim\n", 0o600)
        .file("imap-password", "geheim\n", 0o600)
        .file(
            "wecom-ca.pem",
            include_str!("../../tests/fixtures/tls/ca.pem"),
            0o644,
        )
        .file("oidc-secret", "geheim\n", 0o600)
        .file(
            "oidc-ca.pem",
            include_str!("../../tests/fixtures/tls/ca.pem"),
            0o644,
        )
        .file("wecom-app-secret", "geheim\n", 0o600)
        .file("wecom-callback-token", "QDG6eK\n", 0o600)
        .file(
            "wecom-callback-aes-key",
            "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C\n",
            0o600,
        )
        .file(
            "wecom-robot-key",
            "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa",
            0o600,
        )
}

#[test]
fn every_line_of_the_sample_can_be_switched_on() {
    // The commented settings are the documentation: they must be keys the program knows.
    let site = switched_on();
    let loaded = site.load().unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(loaded.warnings, []);
    insta::assert_snapshot!(site.masked(&Show(&loaded).to_string()));
}

/// And the other way: what the program asks for stands in the sample, so that nobody has to read
/// the sources to find it.
#[test]
fn every_key_the_program_knows_is_in_the_sample() {
    // In clear, beside the file that is to be used instead.
    const IN_CLEAR: [&str; 3] = ["email.password", "imap.password", "wecom.robot.key"];
    let mut section = String::new();
    let mut written = std::collections::BTreeSet::new();
    for line in DEFAULT_TOML.lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        if let Some(name) = line.strip_prefix('[') {
            let name = name.trim_start_matches('[');
            section = name.split(']').next().unwrap_or_default().to_owned();
        } else if let Some((key, _)) = line.split_once(" = ") {
            written.insert(format!("{section}.{}", key.trim_matches('"')));
        }
    }
    let settings = switched_on().load().unwrap().settings;
    let asked = settings.iter().map(|setting| {
        // [[wecom.robot]] is shown as wecom.robot[1].
        let section = setting.section.split('[').next().unwrap_or_default();
        format!("{section}.{}", setting.key)
    });
    let missing: Vec<String> = asked
        .filter(|key| !written.contains(key) && !IN_CLEAR.contains(&key.as_str()))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

fn is_setting(line: &str) -> bool {
    line.split_once(" = ").is_some_and(|(key, _)| {
        key.starts_with('"') || key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    })
}

#[test]
fn all_faults_are_told_at_once_each_with_its_place() {
    let site = Site::new(
        r#"
[server]
listen = "8780"
public_url = "https://duban.example.gov.cn/board?x=1"
lissen = "127.0.0.1:1"

[store]
path = 3

[time]
zone = "Asia/Dongguan"
holidays = ["2027.json", "nirgends.json"]

[email]
host = "smtp.example.gov.cn:465"
port = 70000
tls = "ssl"
password = "hunter2hunter2"
from = "督查科"
timeout_seconds = "60"

[[wecom.robot]]
name = "甲"
key = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?token=hunter2hunter2"
key_file = "none"
units = ["市科技局"]

[[wecom.robot]]
name = "甲"
key = "hunter2 hunter2"
units = ["市科技局"]

[[wecom.robot]]
name = "乙"

[[office.coordinator]]
name = "张三"
email = "zhangsan"
channels = ["sms"]

[remind]
digest_time = "19:00"
quiet_form = "18:00"

[remind.reminder]
working_days = -12

[remind.due]
time = "18:10"

[imap]
mailbox = "INBOX"
port = 0

[mail]
host = "x"
"#,
    )
    .file("2027.json", r#"{"2027": {"holidays": {"2027-01-01": "元旦", "2027-02-30": "春节", "2028-01-01": "元旦"}, "workdays": {"2027-01-04": "元旦"}}, "二零二八": {}}"#, 0o644)
    .env("CUIBAN__EMAIL__MAX_CONNECTIONS", "viele")
    .env("CUIBAN__EMIAL__HOST", "smtp.example.gov.cn")
    .env("CUIBAN__SPOOL__PATH__DEEP", "x")
    .env("CUIBAN_KILLS", "50");
    let faults = site.faults();
    assert!(!faults.contains("hunter2"), "{faults}");
    insta::assert_snapshot!(faults);
}

#[test]
fn a_syntax_error_names_the_line_but_does_not_quote_it() {
    let faults = Site::new("[email]\nhost = \"a.b\"\npassword = \"hunter2\" x\n").faults();
    assert!(!faults.contains("hunter2"), "{faults}");
    insta::assert_snapshot!(faults);
}

#[test]
fn the_environment_goes_over_the_file_and_the_file_over_the_defaults() {
    let site =
        Site::new("[server]\nlisten = \"127.0.0.1:1\"\n[store]\npath = \"/var/lib/cuiban\"\n")
            .env("CUIBAN__SERVER__LISTEN", "127.0.0.1:2")
            .env("CUIBAN__TIME__HOLIDAYS", "")
            .env("CUIBAN__REMIND__BUDGET", "5")
            .env("CUIBAN__REMIND__NOTICE__ENABLED", "false")
            .env("CUIBAN__EMAIL__HOST", "127.0.0.1")
            .env("CUIBAN__EMAIL__TLS", "none")
            .env("CUIBAN__EMAIL__PORT", "2525")
            .env("CUIBAN__EMAIL__FROM", "督查科 <duban@b.example>");
    let loaded = site.load().unwrap();
    let config = &loaded.config;
    assert_eq!(config.server.listen.port(), 2);
    assert_eq!(
        config.server.socket,
        Path::new("/var/lib/cuiban/cuiban.sock")
    );
    assert_eq!(config.policy.budget, 5);
    assert_eq!(config.policy.ladder.stages.len(), 4);
    let email = config.email.as_ref().unwrap();
    assert_eq!((email.port, email.max_connections), (2525, 1));
    assert_eq!(email.from.to_string(), "督查科 <duban@b.example>");
    assert!(email.login.is_none());
    assert_eq!(config.channels(), [ChannelKind::Email]);
    let shown = Show(&loaded).to_string();
    assert!(
        shown.contains("# 环境变量 CUIBAN__SERVER__LISTEN"),
        "{shown}"
    );
    assert!(
        site.masked(&shown)
            .contains("# /etc/cuiban/cuiban.toml 第4行"),
        "{shown}"
    );
}

#[test]
fn one_slip_is_one_fault() {
    for slip in [
        "[remind]\nquiet_until = \"8h\"",
        "[remind]\nquiet_from = \"08:00\"",
        "[remind]\nbudget = 0",
        "[remind.due]\nenabled = \"ja\"",
        "[store]\npath = \"\"",
        "[time]\nzone = 8",
        "[log]\nlevel = \"cuiban=loud\"",
        "[log]\nformat = \"xml\"",
        "email = \"x\"",
        "[wecom]\nrobot = \"x\"",
        "[wecom]\nbase_url = \"qyapi.weixin.qq.com\"",
        "[office]\nname = \"\"",
        "[server]\nsocket = 1",
    ] {
        let faults = Site::new(slip).load().unwrap_err();
        assert_eq!(faults.0.len(), 1, "{slip}: {faults}");
    }
}

const MAIL: &str = "[server]\npublic_url = \"https://d.example\"\n[office]\nphone = \"1\"\n[email]\nfrom = \"d@b.example\"\nhost = \"mail.example\"\n";

#[test]
fn a_secret_comes_from_a_file_beside_or_a_systemd_credential() {
    let beside = Site::new(&format!("{MAIL}username = \"d\"\npassword_file = \"pw\"\n")).file(
        "pw",
        "hunter2\n",
        0o600,
    );
    let loaded = beside.load().unwrap();
    let password = |loaded: &Loaded| {
        let email = loaded.config.email.clone().unwrap();
        email.login.unwrap().password.expose().to_owned()
    };
    assert_eq!(password(&loaded), "hunter2");
    assert_eq!(loaded.warnings, []);
    assert!(!format!("{loaded:?}").contains("hunter2"));

    let credentials = tempfile::tempdir().unwrap();
    std::fs::write(credentials.path().join("pw"), "hunter3").unwrap();
    let folder = credentials.path().to_string_lossy().into_owned();
    let loaded = beside.env("CREDENTIALS_DIRECTORY", &folder).load().unwrap();
    assert_eq!(password(&loaded), "hunter3", "the credential goes first");

    // What the daemon gets of LoadCredential=secrets:/etc/cuiban/secrets, and what root sees.
    let site = Site::new(&format!(
        "{MAIL}username = \"d\"\npassword_file = \"secrets/pw\"\n"
    ));
    assert!(site.load().is_err());
    std::fs::write(credentials.path().join("secrets_pw"), "hunter4").unwrap();
    let loaded = site.env("CREDENTIALS_DIRECTORY", &folder).load().unwrap();
    assert_eq!(password(&loaded), "hunter4");
}

#[test]
fn a_proxy_is_an_address_or_a_range() {
    let site = |proxies: &str| Site::new(&format!("[server]\ntrusted_proxies = {proxies}\n"));
    let loaded = site(r#"["10.1.2.3", "fd00::/8"]"#).load().unwrap();
    assert_eq!(loaded.config.server.trusted_proxies.len(), 2);
    assert_eq!(site("[]").load().unwrap().warnings, []);
    let everywhere = site(r#"["0.0.0.0/0"]"#).load().unwrap();
    let told = everywhere.warnings[0].to_string();
    assert!(
        told.contains("server.trusted_proxies：等于相信任何人"),
        "{told}"
    );
    let told = site(r#"["10.0.0.0/33"]"#).faults();
    assert!(told.contains("现在写的是“10.0.0.0/33”"), "{told}");
}

#[test]
fn a_secret_others_can_read_is_warned_of() {
    let site = Site::new(&format!(
        "{MAIL}username = \"d\"\ntls = \"none\"\npassword_file = \"pw\"\n"
    ))
    .file("pw", "hunter2\n", 0o644);
    let warnings: Vec<String> = site
        .load()
        .unwrap()
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(site.masked(&warnings.join("\n")));
}

#[test]
fn commands_that_send_nothing_need_no_secret() {
    let site = Site::new(&format!(
        "{MAIL}username = \"d\"\npassword_file = \"smtp-password\"\n[[wecom.robot]]\nname = \"甲\"\nkey_file = \"robot\"\n"
    ));
    assert_eq!(site.load().unwrap_err().0.len(), 2, "the daemon needs both");
    let path = site.folder.path().join("cuiban.toml");
    let loaded = Config::load_without_secrets(Some(&path), std::iter::empty()).unwrap();
    assert_eq!(
        loaded.config.channels(),
        [ChannelKind::Email, ChannelKind::WecomRobot]
    );
}

#[test]
fn who_only_looks_needs_no_right_to_a_secret() {
    if rustix::process::geteuid().is_root() {
        return; // Nothing is hidden from root; tests/package asks as a member of the group.
    }
    let site = Site::new(&format!("{MAIL}username = \"d\"\npassword_file = \"pw\"\n"))
        .file("pw", "hunter2", 0o000);
    let path = site.folder.path().join("cuiban.toml");
    let loaded = Config::load_readable(Some(&path), std::iter::empty()).unwrap();
    let told = loaded.warnings[0].to_string();
    assert!(told.contains("没有核对"), "{told}");
    assert!(site.load().is_err(), "the daemon needs it");
}

#[test]
fn a_check_says_what_is_worth_a_look() {
    let site = Site::new(
        "[remind.due]\ntime = \"09:30\"\n[[wecom.robot]]\nname = \"甲\"\nkey = \"k-1\"\n",
    );
    let loaded = site.load().unwrap();
    insta::assert_snapshot!(site.masked(&Check(&loaded).to_string()));
    assert!(!Show(&loaded).json().to_string().contains("k-1"));
}

#[test]
fn windows_notepad_may_have_saved_it() {
    let site = Site::new("\u{feff}[server]\r\nlisten = \"127.0.0.1:1\"\r\n");
    assert_eq!(site.load().unwrap().config.server.listen.port(), 1);
    std::fs::write(site.folder.path().join("cuiban.toml"), b"# \xd6\xd0").unwrap();
    assert!(site.faults().contains("另存为 UTF-8"));
}

#[test]
fn login_is_whole_or_not_there() {
    for (extra, said) in [
        ("username = \"d\"", "还需填写 password_file"),
        ("password = \"x\"", "却没有账号"),
        ("username = \"d\"\npassword_file = \"gone\"", "找不到文件"),
        (
            "username = \"d\"\npassword_file = \"pw\"\npassword = \"x\"",
            "只能填写一个",
        ),
        ("username = \"d\"\npassword_file = \"two\"", "有且只有一行"),
    ] {
        let site = Site::new(&format!("{MAIL}{extra}\n"))
            .file("pw", "a", 0o600)
            .file("two", "a\nb\n", 0o600);
        let faults = site.faults();
        assert!(faults.contains(said), "{extra}: {faults}");
        assert!(faults.contains("1处"), "one slip, one fault: {faults}");
    }
    let half = Site::new("[email]\nusername = \"d\"\n").faults();
    assert!(half.contains("没有填写 email.host"), "{half}");
}

#[test]
fn a_robot_speaks_to_its_units_and_one_to_all_others() {
    let site = Site::new(
        "[[wecom.robot]]\nname = \"科技\"\nkey = \"k-1\"\nunits = [\"市科技局\"]\n[[wecom.robot]]\nname = \"其他\"\nkey = \"http://127.0.0.1:9/cgi-bin/webhook/send?key=k-2\"\n",
    );
    let wecom = site.load().unwrap().config.wecom;
    let robot = wecom.robot_for("市科技局").unwrap();
    assert_eq!(
        (robot.key.expose(), robot.base_url.as_str()),
        ("k-1", "https://qyapi.weixin.qq.com")
    );
    let robot = wecom.robot_for("市财政局").unwrap();
    assert_eq!(
        (robot.key.expose(), robot.base_url.as_str()),
        ("k-2", "http://127.0.0.1:9")
    );
}

#[test]
fn coordinators_are_people_of_the_office() {
    let site = Site::new(
        "[office]\nname = \"市政府督查科\"\n[[office.coordinator]]\nname = \"张三\"\nemail = \"z@b.example\"\n[[office.coordinator]]\nname = \"李四\"\n",
    );
    let loaded = site.load().unwrap();
    let [(person, contact), (_, other)] = &loaded.config.office.coordinators[..] else {
        panic!("two coordinators");
    };
    assert_eq!(
        (person.name.as_str(), person.unit.as_str()),
        ("张三", "市政府督查科")
    );
    assert_eq!(contact.route(), [ChannelKind::Email]);
    assert!(other.route().is_empty() && loaded.warnings.len() == 1);
}

#[test]
fn a_sites_holiday_table_adds_and_replaces_whole_years() {
    let site = Site::new("[time]\nholidays = [\"extra.json\"]\n").file(
        "extra.json",
        r#"{"_note": "x", "2027": {"holidays": {"2027-01-01": "元旦"}, "workdays": {"2027-01-03": "元旦"}}, "2026": {"holidays": ["2026-01-01"]}, "2028": {"holidays": {}, "workdays": {}}}"#,
        0o644,
    );
    let calendar = site.load().unwrap().config.time.calendar;
    let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
    assert!(!calendar.is_working(day(2027, 1, 1)) && calendar.is_working(day(2027, 1, 3)));
    assert!(
        calendar.is_working(day(2026, 10, 1)),
        "2026 was replaced whole"
    );
    assert!(
        !calendar.is_working(day(2025, 10, 1)),
        "2025 is still there"
    );
    assert!(
        calendar.knows(2027) && !calendar.knows(2028),
        "an empty year is unknown"
    );
    assert!(!defaults().config.time.calendar.knows(2027));
}

#[test]
fn a_file_named_but_not_there_is_a_fault() {
    let faults = Config::load(Some(Path::new("/nirgends/cuiban.toml")), std::iter::empty());
    assert!(
        faults
            .unwrap_err()
            .to_string()
            .contains("/nirgends/cuiban.toml")
    );
}

#[test]
fn local_seasons_are_read_and_a_wrong_day_is_told() {
    let site = Site::new("[time.seasons]\n\"汛期\" = \"04-15\"\n\"供暖\" = \"11月15日\"\n");
    let seasons = site.load().unwrap().config.time.almanac.seasons;
    let mut told: Vec<_> = seasons
        .iter()
        .map(|one| (one.name.as_str(), one.month, one.day))
        .collect();
    told.sort_unstable();
    assert_eq!(told, [("供暖", 11, 15), ("汛期", 4, 15)]);
    for wrong in ["\"02-30\"", "\"四月\"", "415"] {
        let site = Site::new(&format!("[time.seasons]\n\"汛期\" = {wrong}\n"));
        let faults = site.load().unwrap_err().to_string();
        assert!(
            faults.contains("time.seasons.汛期") && faults.contains("04-15"),
            "{faults}"
        );
    }
}

#[test]
fn what_a_report_has_to_hold_is_set_by_its_status() {
    let site =
        Site::new("[report.behind]\nrequired = [\"problems\", \"next_steps\"]\nshortest = 20\n");
    let rules = site.load().unwrap().config.report;
    let names: Vec<_> = rules.behind.required.iter().map(|f| f.as_str()).collect();
    assert_eq!(names, ["problems", "next_steps"]);
    assert_eq!((rules.behind.shortest, rules.behind.longest), (20, 2000));
    assert_eq!(rules.bare().len(), 3);
    for (wrong, said) in [
        ("required = [\"problem\"]", "没有“problem”这一栏"),
        ("shortest = 500\nlongest = 100", "应不大于 longest"),
        ("longest = 5000", "report.behind.longest"),
    ] {
        let faults = Site::new(&format!("[report.behind]\n{wrong}\n")).faults();
        assert!(faults.contains(said), "{faults}");
    }
}

#[test]
fn the_callback_wants_both_its_files_and_a_key_that_is_one() {
    const APP: &str = "[wecom.app]\ncorp_id = \"ww1\"\nagent_id = 1\nsecret_file = \"s\"\n";
    const GOOD: &str = "Oc84J1tqSU4Xfcsk3rWzAS7ccZ75reMvxa8cVnGcQfy";
    let with = |token: &str, key: &str| {
        let files = "callback_token_file = \"t\"\ncallback_aes_key_file = \"k\"\n";
        Site::new(&format!("{APP}{files}"))
            .file("s", "secret", 0o600)
            .file("t", token, 0o600)
            .file("k", key, 0o600)
    };
    let app = with("gNAIBbWwuO9", GOOD).load().unwrap().config.wecom.app;
    assert!(app.unwrap().callback.is_some());
    let short = GOOD.strip_suffix('y').unwrap();
    for (token, key, said) in [
        ("gNAIBbWwuO9", short, "43位"),
        ("gNAIBbWwuO9", &format!("{short}A="), "43位"),
        ("gNAIBbWwuO9", &format!("{short}$"), "43位"),
        ("gNAIBbWwuO9gNAIBbWwuO9gNAIBbWwuO9", GOOD, "32位"),
        ("两个 字", GOOD, "32位"),
    ] {
        let faults = with(token, key).faults();
        assert!(faults.contains(said) && !faults.contains(short), "{faults}");
    }
    let half = Site::new(&format!("{APP}callback_token_file = \"t\"\n"))
        .file("s", "secret", 0o600)
        .file("t", "abc", 0o600)
        .faults();
    assert!(half.contains("callback_aes_key_file"), "{half}");
}
