//! An office's own templates from a folder, over those of the program: read, and tried out on every
//! kind of letter before anything is sent with them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::{Environment, context};

use super::RenderError;
use super::pack::PLACE;
use super::sample::{LINK, Sample};
use super::templates::{GUIDE, OWNER, PARTS, Templates, builtin};
use super::view::item_count;
use crate::domain::brief::{Brief, Letter};
use crate::domain::ladder::Ladder;
use crate::domain::message::Stage;

/// Larger files are no templates.
const LARGEST: u64 = 256 * 1024;
/// What a short message may hold beside its items, in bytes.
const SHORT_FRAME: usize = 1200;

/// What is wrong in an office's own templates: all of it, each with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TemplateFaults(pub Vec<TemplateFault>);

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// The file or folder.
    pub path: PathBuf,
    /// Line, from 1.
    pub line: Option<usize>,
    /// What, and what to do.
    pub message: String,
}

impl Templates {
    /// With those of this folder over them, each tried out; and what is worth a look.
    ///
    /// # Errors
    /// All faults at once.
    pub fn load(folder: &Path, ladder: &Ladder) -> Result<(Self, Vec<String>), TemplateFaults> {
        let mut reading = Reading {
            environment: builtin(),
            own: Vec::new(),
            faults: Vec::new(),
            warnings: Vec::new(),
        };
        reading.folder(folder, ladder);
        reading.check_named(folder, ladder);
        let loaded = Self {
            environment: Arc::new(reading.environment),
            own: Arc::new(reading.own),
        };
        if reading.faults.is_empty() {
            reading.faults = loaded.try_out(folder, ladder);
        }
        match reading.faults.is_empty() {
            true => Ok((loaded, reading.warnings)),
            false => Err(TemplateFaults(reading.faults)),
        }
    }

    /// Renders every letter that an own file takes part in, in every state; the first fault of
    /// each file.
    fn try_out(&self, folder: &Path, ladder: &Ladder) -> Vec<TemplateFault> {
        let mut faults: Vec<TemplateFault> = Vec::new();
        let letters = Sample::ALL.into_iter();
        for brief in letters.flat_map(|sample| sample.all_states(ladder)) {
            for part in PARTS {
                let name = self.find(&brief, part);
                let path = folder.join(&name);
                let told = faults.iter().any(|fault| fault.path == path);
                if told || !self.own.contains(&name) {
                    continue;
                }
                faults.extend(self.try_part(&brief, part, folder).err());
            }
        }
        faults
    }

    fn try_part(&self, brief: &Brief, part: &str, folder: &Path) -> Result<(), TemplateFault> {
        if !self.has(brief, part) {
            // Not every letter has every part.
            return Ok(());
        }
        let path = folder.join(self.find(brief, part));
        let failed = |error: RenderError| fault_of(&folder.join(&error.template), &error.source);
        let wrong = |message: String| TemplateFault {
            path: path.clone(),
            line: None,
            message,
        };
        let whole = self
            .view_of(brief, item_count(brief), usize::MAX)
            .and_then(|view| self.render(brief, part, &context! { parts => PLACE, ..view }))
            .map_err(failed)?;
        if part.starts_with("pack") && !whole.contains(PLACE) {
            return Err(wrong("缺少各人的内容；请写上 {{ parts }}".into()));
        }
        if part == "card.txt" && whole.lines().filter(|line| !line.trim().is_empty()).count() < 3 {
            let message = "应有三行：标题、截止时间、说明";
            return Err(wrong(message.into()));
        }
        if whole.trim().is_empty() {
            return Err(wrong("写出来是空的，请补上内容".into()));
        }
        let carries = matches!(part, "body.txt" | "body.html" | "wecom.md" | "wecom.txt");
        let leads = matches!(brief.letter, Letter::Reminder | Letter::Test);
        if carries && leads && !whole.contains(LINK) {
            let message =
                "缺少链接，收到的人无法报送或确认；请写上 {{ link }}（网页里写 {{ link|url }}）";
            return Err(wrong(message.into()));
        }
        if part.starts_with("wecom") {
            let frame = self
                .view_of(brief, 0, 0)
                .and_then(|view| self.render(brief, part, &view))
                .map_err(failed)?;
            if frame.len() > SHORT_FRAME {
                return Err(wrong(format!(
                    "事项以外的文字有{}字节，企业微信放不下；请精简到{SHORT_FRAME}字节以内（约{}个汉字）",
                    frame.len(),
                    SHORT_FRAME / 3
                )));
            }
        }
        Ok(())
    }
}

struct Reading {
    environment: Environment<'static>,
    own: Vec<String>,
    faults: Vec<TemplateFault>,
    warnings: Vec<String>,
}

impl Reading {
    fn folder(&mut self, folder: &Path, ladder: &Ladder) {
        let Some(sets) = self.entries(folder) else {
            return;
        };
        for path in sets {
            let set = file_name(&path);
            if set == GUIDE {
                continue;
            }
            if !path.is_dir() {
                let known = "应放在以模板名命名的文件夹里，如 overdue/body.txt";
                self.fault(&path, None, known);
                continue;
            }
            if !known_sets(ladder).contains(&set) {
                self.warnings.push(format!(
                    "{}：没有哪个阶段用到这个文件夹，请核对名称；可用的有 {}",
                    path.display(),
                    known_sets(ladder).join("、")
                ));
            }
            for file in self.entries(&path).unwrap_or_default() {
                self.file(&set, &file);
            }
        }
    }

    fn file(&mut self, set: &str, path: &Path) {
        let part = file_name(path);
        if !PARTS.contains(&part.as_str()) {
            let known = PARTS.join("、");
            self.fault(path, None, format!("没有这种模板，文件名应为 {known} 之一"));
            return;
        }
        let text = match read(path) {
            Ok(text) => text,
            Err(why) => return self.fault(path, None, why),
        };
        let name = format!("{set}/{part}");
        match self.environment.add_template_owned(name.clone(), text) {
            Ok(()) => self.own.push(name),
            Err(error) => self.faults.push(fault_of(path, &error)),
        }
    }

    /// A stage that names a set nobody wrote would silently speak in the usual words.
    fn check_named(&mut self, folder: &Path, ladder: &Ladder) {
        for rule in &ladder.stages {
            let Some(set) = &rule.template else { continue };
            let there = |own: &String| {
                own.strip_prefix("copied-")
                    .unwrap_or(own)
                    .strip_prefix(set.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
            };
            let stage = rule.stage;
            if Stage::from_name(set).is_none() && set != OWNER && !self.own.iter().any(there) {
                let message = format!(
                    "remind.{}.template 要用这套模板，但这里没有；请写好后再启用，或删去这一项",
                    stage.as_str()
                );
                self.fault(&folder.join(set), None, message);
            }
        }
    }

    /// What is in a folder, in order, without what editors leave behind.
    fn entries(&mut self, folder: &Path) -> Option<Vec<PathBuf>> {
        let read = std::fs::read_dir(folder).and_then(|all| {
            all.map(|entry| Ok(entry?.path()))
                .collect::<std::io::Result<Vec<_>>>()
        });
        match read {
            Ok(mut paths) => {
                paths.retain(|path| {
                    let name = file_name(path);
                    !name.starts_with('.') && !name.ends_with('~')
                });
                paths.sort();
                Some(paths)
            }
            Err(error) => {
                let why = format!("无法读取这个文件夹（{error}），请检查 templates.path 和权限");
                self.fault(folder, None, why);
                None
            }
        }
    }

    fn fault(&mut self, path: &Path, line: Option<usize>, message: impl Into<String>) {
        self.faults.push(TemplateFault {
            path: path.to_owned(),
            line,
            message: message.into(),
        });
    }
}

/// Folders that some letter looks into.
fn known_sets(ladder: &Ladder) -> Vec<String> {
    let stages = Stage::ALL.map(Stage::as_str);
    let owners = stages
        .into_iter()
        .chain(["urge", "taken_over", "entrusted", "returned", OWNER]);
    let copied = stages.map(|stage| format!("copied-{stage}"));
    let named = ladder
        .stages
        .iter()
        .filter_map(|rule| rule.template.clone());
    let mut all: Vec<String> = owners
        .chain([
            "copied", "settled", "digest", "thanks", "decided", "test", "alarm",
        ])
        .map(str::to_owned)
        .chain(copied)
        .collect();
    for set in named {
        if !all.contains(&set) {
            all.extend([format!("copied-{set}"), set]);
        }
    }
    all
}

fn read(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map(|file| file.len());
    if size.is_ok_and(|size| size > LARGEST) {
        return Err("太大，不像是模板；请检查是不是放错了文件".into());
    }
    match std::fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n")),
            Err(_) => Err("不是 UTF-8 编码，请另存为 UTF-8 编码".into()),
        },
        Err(error) => Err(format!("无法读取（{error}）")),
    }
}

/// The fault where it lies: an included template's own file and line.
fn fault_of(path: &Path, error: &minijinja::Error) -> TemplateFault {
    let mut deepest = error;
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(inner) = inner.downcast_ref::<minijinja::Error>() {
            deepest = inner;
        }
        source = inner.source();
    }
    let file = match deepest.name() {
        // `set/part` of the same folder.
        Some(name) if !path.ends_with(name) && name.contains('/') => path
            .parent()
            .and_then(Path::parent)
            .map_or_else(|| path.to_owned(), |folder| folder.join(name)),
        _ => path.to_owned(),
    };
    let line = deepest.line();
    let shown = line.and_then(|line| {
        let text = std::fs::read_to_string(&file).ok()?;
        let text = text.lines().nth(line.checked_sub(1)?)?.trim().to_owned();
        Some(text.chars().take(60).collect::<String>())
    });
    let mut message = chinese(deepest.kind()).to_owned();
    if let Some(detail) = deepest.detail() {
        message.push_str(&format!("（{detail}）"));
    }
    if let Some(shown) = shown {
        message.push_str(&format!("：{shown}"));
    }
    TemplateFault {
        path: file,
        line,
        message,
    }
}

fn chinese(kind: minijinja::ErrorKind) -> &'static str {
    use minijinja::ErrorKind as Kind;
    match kind {
        Kind::SyntaxError => "写法有误，请检查 {{ }} 和 {% %} 是否成对、拼写是否正确",
        Kind::UndefinedError => "用了没有的变量，请核对名称",
        Kind::UnknownFilter => "没有这个过滤器",
        Kind::UnknownTest => "没有这种判断",
        Kind::UnknownFunction | Kind::UnknownMethod => "没有这个函数",
        Kind::TemplateNotFound => "要引用的模板不存在",
        Kind::OutOfFuel => "运算太多，请检查循环",
        _ => "无法写成消息",
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, " 第{line}行")?;
        }
        write!(f, "：{}", self.message)
    }
}

impl fmt::Display for TemplateFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "消息模板有{}处错误，请改正后再运行：", self.0.len())?;
        for fault in &self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Short;
    use super::super::templates::BUILTIN;
    use super::*;

    #[test]
    fn every_template_compiles_and_every_letter_can_be_written() {
        let templates = Templates::builtin();
        let names = templates.environment.templates().count();
        assert_eq!(names, BUILTIN.len());
        for sample in Sample::ALL {
            for brief in sample.all_states(&Ladder::default()) {
                for part in PARTS {
                    let tried = templates.try_part(&brief, part, Path::new("builtin"));
                    tried.unwrap_or_else(|fault| panic!("{}: {fault}", sample.name()));
                }
            }
        }
    }

    /// An office's folder with these files.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn office() -> crate::domain::brief::Office {
        crate::domain::brief::Office {
            name: "督查科".into(),
            telephone: None,
            board: None,
            reads_mail: false,
        }
    }

    #[test]
    fn an_office_rewords_one_stage_and_leaves_the_others() {
        let mut ladder = Ladder::default();
        ladder.stages[3].template = Some("strict".into());
        let folder = folder(&[
            ("due/opening.txt", "【今日截止】请报送{{ total }}项。\n"),
            (
                "strict/subject.txt",
                "\u{feff}【严肃催办】{{ quarter }}\r\n[#{{ token }}]\r\n",
            ),
            ("copied/opening.txt", "{{ total }}项未报。"),
            ("copied-strict/opening.txt", "严肃抄告：{{ total }}项未报。"),
        ]);
        let (templates, warnings) = Templates::load(folder.path(), &ladder).unwrap();
        assert_eq!(warnings, Vec::<String>::new());
        let letter = |sample: Sample| {
            let brief = sample.brief(&office(), &ladder);
            (templates.letter(&brief).unwrap(), templates.own_for(&brief))
        };
        let (due, own) = letter(Sample::Stage(Stage::Due));
        assert!(
            due.text.contains("您好！【今日截止】请报送3项。\n"),
            "{}",
            due.text
        );
        assert_eq!(own, ["due/opening.txt"]);
        let (overdue, _) = letter(Sample::Stage(Stage::Overdue));
        assert_eq!(overdue.subject, "【严肃催办】2022年第一季度 [#R88mrx]");
        let (copied, _) = letter(Sample::Copied(Stage::Overdue));
        assert!(copied.html.contains("严肃抄告：3项未报。"));
        let (copied, _) = letter(Sample::Copied(Stage::Escalation));
        assert!(copied.html.contains("您好！3项未报。"));
        let (notice, own) = letter(Sample::Stage(Stage::Notice));
        assert!(notice.text.contains("距截止还有10个工作日"));
        assert_eq!(own, Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_told_with_its_file_and_line() {
        let mut ladder = Ladder::default();
        ladder.stages[0].template = Some("solemn".into());
        let folder = folder(&[
            (
                "due/body.txt",
                "{{ name }}同志：\n\n{% for item in items %}\n{{ item.no }\n",
            ),
            ("due/wecom.txt", "甲\n乙{{ item }}\n{{ link }}"),
            ("due/subjekt.txt", "主题"),
            ("overdue/body.txt", "{{ name }}同志：请报送。"),
            (
                "overdue/wecom.md",
                "{{ name }}\n{% for x in items %}{{ x.nmae }}{% endfor %}{{ link }}",
            ),
            ("notes.txt", "备忘"),
            ("oredue/body.txt", "{{ link }}"),
        ]);
        std::fs::write(folder.path().join("due/body.html"), b"\xd0\xd5").unwrap();
        let faults = |folder: &Path, ladder: &Ladder| {
            let faults = Templates::load(folder, ladder).map(|_| ()).unwrap_err();
            faults
                .to_string()
                .replace(&*folder.to_string_lossy(), "/etc/cuiban/templates")
        };
        insta::assert_snapshot!(faults(folder.path(), &ladder));
        // With these mended, what only shows in the writing is told.
        ladder.stages[0].template = None;
        for name in [
            "due/body.txt",
            "due/subjekt.txt",
            "due/body.html",
            "notes.txt",
        ] {
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
        insta::assert_snapshot!(faults(folder.path(), &ladder));
        for name in ["due/wecom.txt", "overdue/body.txt", "overdue/wecom.md"] {
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
        let (_, warnings) = Templates::load(folder.path(), &ladder).unwrap();
        assert!(warnings[0].contains("oredue"), "{warnings:?}");
        let gone = Path::new("/nowhere/templates");
        assert!(faults(gone, &ladder).contains("templates.path"));
    }

    #[test]
    fn words_for_several_and_cards_are_an_offices_own_too() {
        let faults = |name: &str, text: &str| {
            let folder = folder(&[(name, text)]);
            let faults = Templates::load(folder.path(), &Ladder::default());
            faults.map(|_| ()).unwrap_err().to_string()
        };
        assert!(faults("overdue/pack.md", "请尽快报送。").contains("{{ parts }}"));
        assert!(faults("owner/card.txt", "请报送").contains("应有三行"));
        let brief = Sample::Stage(Stage::Overdue).brief(&office(), &Ladder::default());
        let frame = |files: &[(&str, &str)]| {
            let folder = folder(files);
            let (templates, _) = Templates::load(folder.path(), &Ladder::default()).unwrap();
            templates.frame(&brief, Short::Markdown).unwrap()
        };
        let opening = ("overdue/opening.txt", "请即刻报送。");
        let own = frame(&[
            opening,
            ("overdue/pack.md", "请即刻报送：\n{{ parts }}\n某科"),
        ]);
        assert_eq!(own.unwrap().name(), "请即刻报送：\n\n\n某科");
        // What was reworded for one person is not said in other words for several.
        assert_eq!(frame(&[opening]), None);
        assert!(frame(&[("due/opening.txt", "请报送。")]).is_some());
    }

    #[test]
    fn a_template_that_does_not_end_is_stopped() {
        let loops = "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}{{ link }}";
        let folder = folder(&[("due/body.txt", loops)]);
        let faults = Templates::load(folder.path(), &Ladder::default());
        let faults = faults.map(|_| ()).unwrap_err().to_string();
        assert!(faults.contains("运算太多"), "{faults}");
    }

    #[test]
    fn what_people_read_of_a_coordinators_word() {
        let text = |sample: Sample| {
            let brief = sample.brief(&office(), &Ladder::default());
            let templates = Templates::builtin();
            let short = templates.short(&brief, Short::Plain, 4096).unwrap();
            format!(
                "{}\n------\n{short}",
                templates.letter(&brief).unwrap().text
            )
        };
        insta::assert_snapshot!("returned", text(Sample::Returned));
        insta::assert_snapshot!("decided", text(Sample::Decided));
        insta::assert_snapshot!("entrusted", text(Sample::Entrusted));
    }
}
